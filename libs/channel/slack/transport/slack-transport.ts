import type { SlackFile, SlackMessage } from './slack-message.js';

/** Posts to Slack. */
export interface SlackTransport {
  /** True when nothing leaves the house. */
  readonly sandbox: boolean;
  /** `chat.postMessage`, once. Throws `SlackFailure` and nothing else. */
  postMessage(message: SlackMessage): Promise<SlackReceipt>;
  /** Uploads a file into a channel, once. Throws `SlackFailure` and nothing else. */
  uploadFile(file: SlackFile): Promise<SlackReceipt>;
}

/** What Slack said about something it took. */
export interface SlackReceipt {
  /** Timestamp of the message, which is its id within the channel; none for a file. */
  readonly ts?: string | undefined;
  /** Slack's answer: JSON. None in the sandbox. */
  readonly response?: string | undefined;
  /** The call that would have been made, from the sandbox only. */
  readonly call?: SlackCall | undefined;
}

/** A Web API method and its arguments, under the names they have there. */
export interface SlackCall {
  readonly method: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** Where a message or a file failed, in the order of the work. */
export type SlackStage = 'participants' | 'content' | 'packaging' | 'connect' | 'authenticate' | 'upload' | 'send';

interface SlackFailureDetails {
  readonly stage: SlackStage;
  readonly kind: 'transient' | 'permanent';
  readonly code?: string | undefined;
  readonly httpStatus?: number | undefined;
  readonly response?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly doubtful?: boolean;
  readonly cause?: unknown;
}

/**
 * A message was not posted, or perhaps not; the same for a file.
 *
 * | What happened                                                         | stage        | kind      | doubtful |
 * |-----------------------------------------------------------------------|--------------|-----------|----------|
 * | a file for a channel that is named, not given by its id               | participants | permanent | no       |
 * | the content has no such attachment, or one that was altered           | content      | permanent | no       |
 * | the content could not be read, the request could not be written       | packaging    | by cause  | no       |
 * | name not resolved, connection refused, TLS handshake broken off       | connect      | transient | no       |
 * | certificate not trusted                                               | connect      | permanent | no       |
 * | connection lost, timeout: the request may have been out already       | connect      | transient | yes      |
 * | `ok: false` for the token or its rights (`invalid_auth`)              | authenticate | by code   | no       |
 * | any other `ok: false` (`channel_not_found`)                           | send         | by code   | by code  |
 * | HTTP 429                                                              | send         | transient | no       |
 * | HTTP 503                                                              | send         | transient | no       |
 * | other HTTP 5xx, an answer that cannot be read or is over 1 MiB        | send         | transient | yes      |
 * | HTTP 3xx and other 4xx                                                | send         | permanent | no       |
 *
 * The first two of an upload's three requests show nothing to anybody yet: whatever fails there is not doubtful, and
 * its stage is `upload` in place of `send`. By code: see `transientCodes` and `doubtfulCodes`.
 */
export class SlackFailure extends Error {
  override readonly name = 'SlackFailure';
  readonly stage: SlackStage;
  /** Whether the same may go through later. */
  readonly kind: 'transient' | 'permanent';
  /** Slack's error, such as channel_not_found. */
  readonly code?: string;
  readonly httpStatus?: number;
  /** What was answered, as it came, without the token: Slack's own JSON. */
  readonly response?: string;
  /** No attempt sooner than so many milliseconds from now, as Slack wishes (`Retry-After`). */
  readonly retryAfter?: number;
  /** Slack may have taken it: the request was out and the answer never came, or says that it does not know. */
  readonly doubtful: boolean;

  constructor(message: string, details: SlackFailureDetails) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.stage = details.stage;
    this.kind = details.kind;
    if (details.code !== undefined) this.code = details.code;
    if (details.httpStatus !== undefined) this.httpStatus = details.httpStatus;
    if (details.response !== undefined) this.response = details.response;
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
    this.doubtful = details.doubtful ?? false;
  }
}
