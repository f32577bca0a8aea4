import type { EmailMessage } from './email-message.js';

/** Sends mails. */
export interface EmailTransport {
  /** True when nothing leaves the house. */
  readonly sandbox: boolean;
  /**
   * Sends one mail and answers once the server has taken responsibility for it, for all of `to` at least.
   * Throws `EmailFailure` and nothing else.
   *
   * @param signal gives up waiting; the failure tells by `doubtful` whether the mail may be out already
   * @param lastCheck called when the server waits for the mail itself; where it throws, the mail does not go out
   */
  send(message: EmailMessage, signal?: AbortSignal, lastCheck?: () => void): Promise<EmailReceipt>;
  /** Takes no further mail, lets the ones under way finish and closes the connections. */
  close(): Promise<void>;
}

export interface RejectedRecipient {
  readonly address: string;
  /** SMTP reply code; 4xx may work later. */
  readonly code: number;
  /** The server's whole reply. */
  readonly response: string;
}

/** What the server said about a mail it took. */
export interface EmailReceipt {
  readonly accepted: readonly string[];
  /** Recipients of copies whom the server refused while it took the mail for the others. */
  readonly rejected: readonly RejectedRecipient[];
  /** The reply to the mail. */
  readonly response: string;
  /** `C: …` and `S: …` lines for support, without credentials and without the mail itself. */
  readonly conversation: readonly string[];
  /** Size of the whole mail as composed. */
  readonly bytes: number;
  /** The mail, from the sandbox only. */
  readonly mime?: Buffer;
}

/** Where a mail failed, in the order of the work. */
export type EmailStage = 'participants' | 'content' | 'options' | 'packaging' | 'connect' | 'authenticate' | 'send';

interface EmailFailureDetails {
  readonly stage: EmailStage;
  readonly kind: 'transient' | 'permanent';
  readonly code?: number | undefined;
  readonly enhancedCode?: string | undefined;
  readonly conversation?: readonly string[];
  readonly doubtful?: boolean;
  readonly cause?: unknown;
}

/**
 * A mail was not sent, or perhaps not.
 *
 * | What happened                                                        | stage          | kind      | doubtful |
 * |----------------------------------------------------------------------|----------------|-----------|----------|
 * | no or invalid sender or recipients, non-ASCII local part             | participants   | permanent | no       |
 * | no text and no HTML, control characters, empty or misnamed attachment| content        | permanent | no       |
 * | invalid Message-ID, date or priority                                 | options        | permanent | no       |
 * | the mail could not be composed                                       | packaging      | permanent | no       |
 * | name not resolved, refused, reset, timeout, broken TLS handshake     | connect        | transient | no       |
 * | certificate not trusted, STARTTLS not offered though needed          | connect        | permanent | no       |
 * | greeting, EHLO or STARTTLS answered 4xx / 5xx                        | connect        | by code   | no       |
 * | login answered 4xx / 5xx (535: wrong credentials)                    | authenticate   | by code   | no       |
 * | login not offered though there are credentials                       | authenticate   | permanent | no       |
 * | connection lost while logging in                                     | authenticate   | transient | no       |
 * | sender, every recipient, or the mail answered 4xx / 5xx              | send           | by code   | no       |
 * | every recipient refused, some with 4xx                               | send           | transient | no       |
 * | a `to` recipient refused while others were accepted: these got it    | send           | by code   | no       |
 * | mail larger than the server takes                                    | send           | permanent | no       |
 * | the caller's last check failed                                       | send           | transient | no       |
 * | connection lost, timeout or abort before the final dot was written   | send           | transient | no       |
 * | connection lost, timeout or abort between final dot and reply        | send           | transient | yes      |
 *
 * By code: 4xx (421 and 451 too) is transient, 5xx permanent. A host name that is not found is transient because
 * a resolver that is out of order says the same.
 */
export class EmailFailure extends Error {
  override readonly name = 'EmailFailure';
  readonly stage: EmailStage;
  /** Whether the same mail may go through later. */
  readonly kind: 'transient' | 'permanent';
  /** SMTP reply code, where a reply was the reason. */
  readonly code?: number;
  /** Enhanced status code (RFC 3463) of that reply: `4.2.2`. */
  readonly enhancedCode?: string;
  /** As in `EmailReceipt`; empty when no connection was used. */
  readonly conversation: readonly string[];
  /** The server may have taken the mail: its final dot was sent and the reply never arrived. */
  readonly doubtful: boolean;

  constructor(message: string, details: EmailFailureDetails) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.stage = details.stage;
    this.kind = details.kind;
    if (details.code !== undefined) this.code = details.code;
    if (details.enhancedCode !== undefined) this.enhancedCode = details.enhancedCode;
    this.conversation = details.conversation ?? [];
    this.doubtful = details.doubtful ?? false;
  }
}

/** The failure of a mail that no server has seen. */
export function invalid(stage: 'participants' | 'content' | 'options', message: string): EmailFailure {
  return new EmailFailure(message, { stage, kind: 'permanent' });
}
