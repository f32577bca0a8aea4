import type { EmailMessage, EmailReceipt, EmailTransport } from '#libs/channel/email';

/** Takes every mail and remembers it, unless it is told to fail. */
export class FakeTransport implements EmailTransport {
  readonly sandbox = false;
  /** Every mail it was given, also those it failed. */
  readonly sent: EmailMessage[] = [];
  /** What the next sends throw, in order; undefined: the mail is taken. */
  readonly failures: (Error | undefined)[] = [];

  async send(message: EmailMessage): Promise<EmailReceipt> {
    this.sent.push(message);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const accepted = [...message.to, ...(message.cc ?? []), ...(message.bcc ?? [])].map(({ address }) => address);
    const conversation = accepted.map((address) => `C: RCPT TO:<${address}>`);
    return { accepted, rejected: [], response: '250 taken', conversation, bytes: 1 };
  }

  async close(): Promise<void> {}
}
