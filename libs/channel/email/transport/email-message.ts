import { domainToASCII } from 'node:url';

/** Somebody who writes or gets a mail. */
export interface Mailbox {
  /** `local@domain`; an international domain is sent as Punycode, a non-ASCII local part is refused. */
  readonly address: string;
  readonly name?: string | undefined;
}

export interface Attachment {
  readonly fileName: string;
  /** `type/subtype`, with parameters if need be. */
  readonly mediaType: string;
  /** At least one byte. */
  readonly content: Uint8Array;
  /** Makes it an inline image that the HTML shows as `<img src="cid:…">`; without angle brackets. */
  readonly contentId?: string | undefined;
}

/** A mail as the transport takes it. Two equal messages make the same bytes. */
export interface EmailMessage {
  readonly from: Mailbox;
  /** Where it comes back to when it cannot be delivered later on; `from` when left out. */
  readonly returnPath?: string | undefined;
  /** At least one. */
  readonly to: readonly Mailbox[];
  readonly cc?: readonly Mailbox[] | undefined;
  /** They get the mail, and nobody else sees that they do. */
  readonly bcc?: readonly Mailbox[] | undefined;
  readonly replyTo?: readonly Mailbox[] | undefined;
  readonly subject: string;
  /** `text`, `html` or both; line breaks become CRLF. */
  readonly text?: string | undefined;
  readonly html?: string | undefined;
  readonly attachments?: readonly Attachment[] | undefined;
  /** `normal` when left out. */
  readonly priority?: 'high' | 'normal' | 'low' | undefined;
  /** Asks the servers on the way for a delivery status notification (RFC 3461), where they offer that. */
  readonly deliveryStatus?: boolean | undefined;
  /** `<id@domain>`: the caller's, so that a repeated attempt is recognised as the same mail; see `messageIdFor`. */
  readonly messageId: string;
  /** Milliseconds since the Unix epoch. */
  readonly date: number;
}

/** The Message-ID of what an operation sends: the same at every attempt. */
export function messageIdFor(operationId: string, domain: string): string {
  return `<${operationId}@${domainToASCII(domain)}>`;
}
