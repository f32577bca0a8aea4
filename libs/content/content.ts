import type { StoredBlob } from './sealed-content.js';

export interface NamedAddress {
  readonly address: string;
  readonly name?: string;
}

/** Bytes that go with a message; they stand in a blob, and are read by `Contents.readAttachment`. */
export interface ContentAttachment {
  readonly fileName: string;
  readonly mediaType: string;
  /** Set for an image that the HTML shows inline as `cid:<contentId>`. */
  readonly contentId?: string;
  readonly blob: StoredBlob;
  /** SHA-256 of the bytes, in hex. It stands nowhere in clear: there it would outlive an erasure and confirm guesses. */
  readonly sha256: string;
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
  /** Instead of subject and text: in Slack's own markup, or as it is shown where `mrkdwn` is false. */
  readonly text?: string;
  /** False: the text is plain, Slack's markup in it is not interpreted. */
  readonly mrkdwn?: boolean;
  /** Block Kit blocks; the text is shown where they cannot be, as in push notifications. */
  readonly blocks?: readonly object[];
  /** Timestamp of the message that starts the thread to answer in. */
  readonly threadTs?: string;
  /** Makes links of `@names` and `#channels`. */
  readonly linkNames?: boolean;
  /** Previews of linked pages. */
  readonly unfurlLinks?: boolean;
  /** Previews of linked images and videos. */
  readonly unfurlMedia?: boolean;
  /** `:name:`; wins over `iconUrl`. */
  readonly iconEmoji?: string;
  readonly iconUrl?: string;
  /** Who the message appears to be from. */
  readonly username?: string;
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
