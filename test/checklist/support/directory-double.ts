import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Step = 'audience' | 'channels' | 'prepare';

/** A body, null included, or a status without one. */
type Answer = object | null | { readonly httpStatus: number };

/** What the directory answers to a step about a recipient; `prepare` by channel. */
export interface Entry {
  readonly audience?: Answer | PromiseLike<Answer>;
  readonly channels?: Answer;
  readonly prepare?: Readonly<Partial<Record<'email' | 'slack', Answer>>>;
}

interface Question {
  readonly step: Step;
  readonly recipientId: string;
  readonly notificationId: string;
  readonly channel?: 'email' | 'slack';
}

/** A mail and a Slack message, as one who looks at nothing prepares them. */
const plain = {
  email: { operations: [{ type: 'SendEmail' }] },
  slack: { operations: [{ type: 'SendSlackMessage' }] },
};

/**
 * A customer's directory (docs/directory.md). It knows everybody, on both channels, unless told otherwise, and keeps what
 * it was asked.
 */
export class DirectoryDouble {
  readonly asked: Question[] = [];
  private readonly entries = new Map<string, Entry>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      this.take(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<DirectoryDouble> {
    const double = new DirectoryDouble();
    double.server.listen(0, '127.0.0.1');
    await once(double.server, 'listening');
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/directory`;
  }

  /** From now on it answers so about the recipient. */
  knows(recipientId: string, entry: Entry): void {
    this.entries.set(recipientId, entry);
  }

  /** How often it was asked this about a notification. */
  timesAsked(step: Step, notificationId: string): number {
    return this.asked.filter((one) => one.step === step && one.notificationId === notificationId).length;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const step = request.url!.split('/').at(-1) as Step;
    const question = { ...(JSON.parse(await text(request)) as Omit<Question, 'step'>), step };
    this.asked.push(question);
    const answer = await this.answer(question);
    const status = answer !== null && 'httpStatus' in answer ? answer.httpStatus : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  private answer({ step, recipientId, channel }: Question): Answer | PromiseLike<Answer> {
    const entry = this.entries.get(recipientId) ?? {};
    switch (step) {
      case 'audience':
        return entry.audience === undefined ? { audience: { displayName: recipientId } } : entry.audience;
      case 'channels':
        return entry.channels === undefined ? { channels: bothOf(recipientId) } : entry.channels;
      case 'prepare':
        return { ...plain, ...entry.prepare }[channel!];
    }
  }
}

/** The channels of a recipient whom nothing else was told about. */
export function bothOf(recipientId: string): { readonly channel: 'email' | 'slack'; readonly to: string }[] {
  return [
    { channel: 'email', to: mailOf(recipientId) },
    { channel: 'slack', to: slackOf(recipientId) },
  ];
}

export function mailOf(recipientId: string): string {
  return `${recipientId}@example.com`;
}

/** A Slack channel of the recipient's own: the channels do not wait for one another. */
export function slackOf(recipientId: string): string {
  return `C${recipientId.toUpperCase()}`;
}
