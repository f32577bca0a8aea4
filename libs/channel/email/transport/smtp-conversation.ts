import type { Credentials } from './smtp-settings.js';

/**
 * What client and server said, as nodemailer tells its logger. A secret never gets in: what the client sends while
 * logging in is replaced, and the credentials are taken out wherever the server repeats them.
 */
export class SmtpConversation {
  /** The final dot of the current mail has been handed to the socket. */
  finalDotSent = false;
  /** Between the login command and the server's verdict. */
  loggingIn = false;
  #lines: string[] = [];
  readonly #secrets: readonly string[];

  constructor(credentials: Credentials | undefined) {
    this.#secrets = credentials ? secretsOf(credentials) : [];
  }

  /** The lines since the last call. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** The text without the credentials, plain or in base64. */
  redact(text: string): string {
    for (const secret of this.#secrets) text = text.replaceAll(secret, '[redacted]');
    return text;
  }

  /** Called by nodemailer for commands and replies. */
  debug(entry: { tnx?: string }, text: string): void {
    if (entry.tnx === 'client') this.#lines.push(`C: ${this.loggingIn ? withoutPayload(text) : this.redact(text)}`);
    else if (entry.tnx === 'server') for (const line of text.split('\n')) this.#lines.push(`S: ${this.#heard(line)}`);
  }

  /** Called by nodemailer for everything else, also when it has written the whole mail. */
  info(entry: { tnx?: string; outByteCount?: number }): void {
    if (entry.tnx !== 'message') return;
    this.finalDotSent = true;
    this.#lines.push(`C: [mail of ${entry.outByteCount} bytes]`);
  }

  #heard(line: string): string {
    return this.loggingIn && line.startsWith('334') ? '334 [redacted]' : this.redact(line.trimEnd());
  }
}

function withoutPayload(command: string): string {
  return `${/^AUTH [\w-]+/.exec(command)?.[0] ?? ''} [redacted]`.trimStart();
}

function secretsOf({ user, pass }: Credentials): string[] {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return [base64(`\0${user}\0${pass}`), base64(`${user}\0${user}\0${pass}`), base64(pass), pass];
}
