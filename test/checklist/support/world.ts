import type { ConsumerView } from '#libs/operator';
import { SlackDouble, SmtpDouble, type PostedMessage, type TakenMail } from '#libs/testing';
import { Api, eventually, startServer, temporaryFolder, type ServerProcess } from '../../support/index.js';
import { DirectoryDouble, mailOf, slackOf } from './directory-double.js';

type Environment = Readonly<Record<string, string>>;

interface Parts {
  readonly smtp: SmtpDouble;
  readonly slack: SlackDouble;
  readonly directory: DirectoryDouble;
  readonly folder: Awaited<ReturnType<typeof temporaryFolder>>;
}

/** What a test asks a world for. */
export interface WorldOptions {
  /** Whom to tell is asked of the customer's directory, not of the recipients. */
  readonly useDirectory?: boolean;
  /** Further settings. */
  readonly env?: Environment;
}

/** A server, and all that it talks to: a mail server, Slack and a customer's directory, each a double. */
export class World {
  readonly smtp: SmtpDouble;
  readonly slack: SlackDouble;
  readonly directory: DirectoryDouble;
  /** The data directory. */
  readonly path: string;
  api!: Api;
  server!: ServerProcess;

  private constructor(
    private readonly parts: Parts,
    private readonly env: Environment,
  ) {
    ({ smtp: this.smtp, slack: this.slack, directory: this.directory } = parts);
    this.path = parts.folder.path;
  }

  static async open({ useDirectory = false, env = {} }: WorldOptions = {}): Promise<World> {
    const [smtp, slack, directory, folder] = await Promise.all([
      SmtpDouble.start({ security: 'plain' }),
      SlackDouble.start(),
      DirectoryDouble.start(),
      temporaryFolder(),
    ]);
    const world = new World(
      { smtp, slack, directory, folder },
      {
        TIDINGS_SMTP_URL: smtp.url,
        TIDINGS_SLACK_TOKEN: slack.token,
        TIDINGS_SLACK_API_URL: slack.url,
        ...(useDirectory && { TIDINGS_DIRECTORY_URL: directory.url }),
        ...env,
      },
    );
    try {
      await world.start();
    } catch (error) {
      // Nobody else can: open doubles would keep the tests from ending.
      await world.close();
      throw error;
    }
    return world;
  }

  async start(): Promise<void> {
    this.server = await startServer(this.path, this.env);
    this.api = new Api(this.server.url);
  }

  /** Ends the server and starts it again. @param meanwhile what happens to its data directory in between */
  async restart(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await this.server.stop();
    await meanwhile();
    await this.start();
  }

  async close(): Promise<void> {
    const { smtp, slack, directory, folder } = this.parts;
    // There is none where it did not start.
    await (this.server as ServerProcess | undefined)?.kill();
    await Promise.all([smtp.close(), slack.close(), directory.close()]);
    await folder.remove();
  }

  /** Puts a recipient with a mail address and a Slack channel. @throws where it is refused */
  putOnBoth(id: string, preferences?: object): Promise<void> {
    const channels = { email: { address: mailOf(id) }, slack: { channel: slackOf(id) } };
    return this.api.putRecipient(id, mailOf(id), { channels, ...(preferences && { preferences }) });
  }

  /** The mails that a recipient has got. */
  mailsTo(id: string): readonly TakenMail[] {
    return this.smtp.mails.filter(({ envelope }) => envelope.to.includes(mailOf(id)));
  }

  /** The Slack messages that a recipient has got. */
  messagesTo(id: string): readonly PostedMessage[] {
    return this.slack.messages.filter(({ channel }) => channel === slackOf(id));
  }

  /** Types of a notification's records, in the order in which they happened. */
  async typesOf(id: string): Promise<readonly string[]> {
    return (await this.api.events(id)).map(({ type }) => type);
  }

  async consumers(): Promise<readonly ConsumerView[]> {
    return (await this.api.request<{ items: ConsumerView[] }>('GET', '/v1/consumers')).body.items;
  }

  async consumer(name: string): Promise<ConsumerView> {
    return (await this.consumers()).find((one) => one.name === name)!;
  }

  /** Resolves once nothing is left for any consumer to do. */
  async idle(): Promise<void> {
    await eventually(async () => {
      const consumers = await this.consumers();
      return consumers.every(({ lag, waiting, retrying }) => lag + waiting + retrying === 0) || undefined;
    });
  }
}
