import type { ConsumerView } from '#libs/operator';
import type { PostedMessage, TakenMail } from '#libs/testing';
import { attachToTests, eventually, TestServer, type Environment } from '../../support/index.js';
import { DirectoryDouble, mailOf, slackOf } from './directory-double.js';

/** What a test asks a world for. */
export interface WorldOptions {
  /** Whom to tell is asked of the customer's directory, not of the recipients. */
  readonly useDirectory?: boolean;
  /** Further settings. */
  readonly settings?: Environment;
}

/** A world that the tests of a file share. */
export function useWorld(options: WorldOptions = {}): World {
  const world = new World(options);
  attachToTests(world);
  return world;
}

/** A server, and all that it talks to: a mail server, Slack and a customer's directory, each a double. */
export class World extends TestServer {
  directory!: DirectoryDouble;
  private readonly useDirectory: boolean;

  constructor({ useDirectory = false, settings = {} }: WorldOptions = {}) {
    super({ smtp: true, slack: true, settings });
    this.useDirectory = useDirectory;
  }

  override get settings(): Environment {
    return { ...(this.useDirectory && { TIDINGS_DIRECTORY_URL: this.directory.url }), ...super.settings };
  }

  override async open(): Promise<void> {
    await super.open();
    this.directory = this.closing(await DirectoryDouble.start());
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
