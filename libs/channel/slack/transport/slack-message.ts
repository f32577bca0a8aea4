/** A message as the transport takes it. What is left out is Slack's default. */
export interface SlackMessage {
  /** A channel's or user's id, or a channel's name. */
  readonly channel: string;
  /** In Slack's markup, `&`, `<` and `>` escaped. Stands in for `blocks` where these cannot be shown. */
  readonly text: string;
  /** False: markup in the text is not interpreted. */
  readonly mrkdwn?: boolean | undefined;
  /** Block Kit blocks. */
  readonly blocks?: readonly object[] | undefined;
  /** Timestamp of the message whose thread this one belongs to. */
  readonly threadTs?: string | undefined;
  readonly linkNames?: boolean | undefined;
  readonly unfurlLinks?: boolean | undefined;
  readonly unfurlMedia?: boolean | undefined;
  /** `:name:` */
  readonly iconEmoji?: string | undefined;
  readonly iconUrl?: string | undefined;
  readonly username?: string | undefined;
}

/** A file as the transport takes it. */
export interface SlackFile {
  /** A channel's id. */
  readonly channel: string;
  readonly threadTs?: string | undefined;
  readonly fileName: string;
  readonly mediaType: string;
  /** At least one byte. */
  readonly content: Uint8Array;
}
