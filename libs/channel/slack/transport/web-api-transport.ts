import { WebAPIRequestError, WebClient, type Logger, type LogLevel } from '@slack/web-api';
import { messageOf } from '#libs/kernel';
import { announceCall, completeCall, messageCall, requireChannelId } from './calls.js';
import { exchange, fieldsOf } from './exchange.js';
import type { SlackFile, SlackMessage } from './slack-message.js';
import { SlackFailure, type SlackCall, type SlackReceipt, type SlackTransport } from './slack-transport.js';
import { failureOf, type Purpose } from './web-api-failure.js';

/** Which Slack, and how patient to be with it. Times in milliseconds. */
export interface WebApiSettings {
  readonly token: string;
  /** Where the methods are: `https://slack.com/api/`. */
  readonly url: string;
  /** Default: Node's own. */
  readonly fetch?: typeof fetch | undefined;
  /** A call, from the request to the end of the answer: 30 s. */
  readonly timeout?: number | undefined;
  /** An upload of a file's bytes: 5 min. */
  readonly uploadTimeout?: number | undefined;
}

/** Says nothing: requests and answers hold what must not be logged. */
const silence: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  setName() {},
  getLevel: () => 'error' as LogLevel,
};

/**
 * Posts through Slack's Web API. Every call is made once: it is for the caller to repeat it, so that each attempt leaves
 * its trace. The token is sent in the Authorization header, and to the Web API only.
 */
export class WebApiSlackTransport implements SlackTransport {
  readonly sandbox = false;
  readonly #client: WebClient;
  readonly #token: string;
  readonly #uploadTimeout: number;
  readonly #fetch: WebApiSettings['fetch'];

  constructor({ token, url, fetch, timeout = 30_000, uploadTimeout = 300_000 }: WebApiSettings) {
    this.#token = token;
    this.#uploadTimeout = uploadTimeout;
    this.#fetch = fetch;
    this.#client = new WebClient(token, {
      slackApiUrl: url,
      logger: silence,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout,
      // The client would keep neither Slack's own JSON nor the difference between an answer and none.
      fetch: async (input, init) => new Response(await exchange(String(input), init as RequestInit, saysOk, fetch)),
    });
  }

  async postMessage(message: SlackMessage): Promise<SlackReceipt> {
    const answer = await this.#call(messageCall(message), 'send');
    return { ts: textOf(answer['ts']), response: this.#redact(JSON.stringify(answer)) };
  }

  async uploadFile(file: SlackFile): Promise<SlackReceipt> {
    requireChannelId(file);
    const { upload_url: url, file_id: fileId } = await this.#call(announceCall(file), 'upload');
    if (typeof url !== 'string' || typeof fileId !== 'string' || !URL.canParse(url)) {
      throw new SlackFailure('Slack gave no URL to upload to', { stage: 'upload', kind: 'transient' });
    }
    await this.#upload(url, file);
    const answer = await this.#call(completeCall(file, fileId), 'send');
    return { response: this.#redact(JSON.stringify(answer)) };
  }

  async #call({ method, arguments: args }: SlackCall, stage: Purpose['stage']): Promise<Record<string, unknown>> {
    try {
      return { ...(await this.#client.apiCall(method, args)) };
    } catch (error) {
      // What the client throws otherwise, it throws before it sends anything.
      if (error instanceof WebAPIRequestError) throw failureOf(error.original, this.#purpose(stage));
      throw new SlackFailure(this.#redact(messageOf(error)), { stage: 'packaging', kind: 'permanent' });
    }
  }

  /** To a URL that Slack made for this one file; it needs no token. */
  async #upload(url: string, { content }: SlackFile): Promise<void> {
    try {
      // Slack goes by the file's name.
      const headers = { 'content-type': 'application/octet-stream' };
      const signal = AbortSignal.timeout(this.#uploadTimeout);
      // Never shared memory, which a browser's types would not take for a body.
      const body = content as Uint8Array<ArrayBuffer>;
      await exchange(url, { method: 'POST', headers, body, signal }, () => true, this.#fetch);
    } catch (error) {
      throw failureOf(error, this.#purpose('upload'));
    }
  }

  #purpose(stage: Purpose['stage']): Purpose {
    return { stage, redact: (text) => this.#redact(text) };
  }

  /** Something on the way may repeat what it was sent. */
  #redact(text: string): string {
    return text.replaceAll(this.#token, '[token]');
  }
}

function saysOk(body: string): boolean {
  return fieldsOf(body)['ok'] === true;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
