import type { StoredBlob } from './sealed-content.js';

export interface NamedAddress {
  readonly address: string;
  readonly name?: string;
}

/** Bytes that go with a message; they stand in a blob. */
export interface ContentAttachment {
  readonly fileName: string;
  readonly mediaType: string;
  /** Set for an image that the HTML shows inline as `cid:<contentId>`. */
  readonly contentId?: string;
  readonly blob: StoredBlob;
}

/** What only mail knows. */
export interface EmailOptions {
  readonly cc?: readonly NamedAddress[];
  readonly bcc?: readonly NamedAddress[];
  readonly replyTo?: readonly NamedAddress[];
  readonly priority?: 'high' | 'normal' | 'low';
  /** Asks for a delivery status notification. */
  readonly deliveryStatus?: boolean;
}

/** What only Slack knows. */
export interface SlackOptions {
  /** Block Kit blocks. */
  readonly blocks?: readonly object[];
}

/** What a notification says, for all channels. It never stands in a stream in clear. */
export interface Content {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly email?: EmailOptions;
  readonly slack?: SlackOptions;
  readonly attachments?: readonly ContentAttachment[];
}
