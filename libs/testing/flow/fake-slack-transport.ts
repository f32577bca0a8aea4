import type { SlackFile, SlackMessage, SlackReceipt, SlackTransport } from '#libs/channel/slack';

/** Takes every message and every file and remembers them, unless it is told to fail. */
export class FakeSlackTransport implements SlackTransport {
  readonly sandbox = false;
  /** All it was given, also what it failed, in order. */
  readonly sent: (SlackMessage | SlackFile)[] = [];
  /** What the next calls throw, in order; undefined: it is taken. */
  readonly failures: (Error | undefined)[] = [];

  postMessage(message: SlackMessage): Promise<SlackReceipt> {
    return this.take(message, { ts: `${this.sent.length}.0`, response: '{"ok":true}' });
  }

  uploadFile(file: SlackFile): Promise<SlackReceipt> {
    return this.take(file, { response: '{"ok":true}' });
  }

  private async take(given: SlackMessage | SlackFile, receipt: SlackReceipt): Promise<SlackReceipt> {
    this.sent.push(given);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return receipt;
  }
}
