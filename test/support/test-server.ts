import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { SlackDouble, SmtpDouble, type SlackDoubleOptions, type SmtpDoubleOptions } from '#libs/testing';
import { Api } from './api.js';
import type { Environment } from './program.js';
import { startServer, temporaryFolder, type ServerProcess } from './server-process.js';

export interface TestServerOptions {
  /** A double for its mails, or true for one without TLS and login; they stay in the sandbox where left out. */
  readonly smtp?: SmtpDoubleOptions | true;
  /** A double for its Slack messages; likewise. */
  readonly slack?: SlackDoubleOptions | true;
  /** Further ones. */
  readonly settings?: Environment;
}

export interface TestServerUse {
  /** Each test has one of its own; else all share one. */
  readonly perTest?: boolean;
  /** False: the spec starts it, where something has to be there before. */
  readonly start?: boolean;
}

/**
 * A server for the tests of this file or `describe`: there before them, with all that it talks to, and gone after them.
 * What a spec does to it first stands in a `beforeAll` (or `beforeEach`) below.
 */
export function useServer(options: TestServerOptions & TestServerUse = {}): TestServer {
  const server = new TestServer(options);
  attachToTests(server, options);
  return server;
}

/** What `useServer` does, for a server of another kind. */
export function attachToTests(server: TestServer, { perTest = false, start = true }: TestServerUse = {}): void {
  const [before, after] = perTest ? [beforeEach, afterEach] : [beforeAll, afterAll];
  before(async () => {
    await server.open();
    if (start) await server.start();
  });
  after(() => server.close());
}

/** A server with a data directory of its own, and the doubles it talks to. What it is as a process is the last one started. */
export class TestServer implements ServerProcess {
  /** Without a key. */
  readonly api = new Api(this);
  /** Where asked for; so is Slack's. */
  smtp!: SmtpDouble;
  slack!: SlackDouble;
  dataDir!: string;
  private running!: ServerProcess;
  private readonly ends: (() => Promise<void>)[] = [];

  constructor(private readonly options: TestServerOptions) {}

  get url(): string {
    return this.running.url;
  }

  get pid(): number {
    return this.running.pid;
  }

  get output(): string {
    return this.running.output;
  }

  /** What it starts with, unless told otherwise. */
  get settings(): Environment {
    const { smtp, slack, settings } = this.options;
    return {
      ...(smtp && { TIDINGS_SMTP_URL: this.smtp.url }),
      ...(slack && { TIDINGS_SLACK_TOKEN: this.slack.token, TIDINGS_SLACK_API_URL: this.slack.url }),
      ...settings,
    };
  }

  /** Makes all that has to be there before it starts. */
  async open(): Promise<void> {
    const folder = await temporaryFolder();
    this.dataDir = folder.path;
    this.ends.push(() => folder.remove());
    const { smtp, slack } = this.options;
    if (smtp) this.smtp = this.closing(await SmtpDouble.start(smtp === true ? { security: 'plain' } : smtp));
    if (slack) this.slack = this.closing(await SlackDouble.start(slack === true ? {} : slack));
  }

  async start(settings = this.settings): Promise<void> {
    this.running = await startServer(this.dataDir, settings, (kill) => this.ends.push(kill));
  }

  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<void> {
    return this.running.stop(signal);
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.running.signal(signal);
  }

  kill(): Promise<void> {
    return this.running.kill();
  }

  /** Ends the server and starts it again. @param meanwhile what happens to its data directory in between */
  async restart(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await this.stop();
    await meanwhile();
    await this.start();
  }

  /** Ends and removes whatever there is of it. */
  async close(): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end();
  }

  /** Has a double closed with it. */
  protected closing<Double extends { close(): Promise<void> }>(double: Double): Double {
    this.ends.push(() => double.close());
    return double;
  }
}
