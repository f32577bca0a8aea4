import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../eventually.js';
import { SlackScript, type SlackBehaviour } from './script.js';
import { Workspace, type Answer, type PostedMessage, type SharedFile } from './workspace.js';

export interface SlackDoubleOptions {
  /** The only token it takes: `xoxb-test` when left out. */
  readonly token?: string;
  /** The channels there are: any when left out. */
  readonly channels?: readonly string[];
}

/** A request that the double has got, whatever it answered. */
export interface SlackCallMade {
  /** A Web API method, or `upload` for the bytes of a file. */
  readonly method: string;
  /** The path with its query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as received. */
  readonly body: Buffer;
  /** The form's fields; none for `upload`. */
  readonly arguments: Readonly<Record<string, string>>;
  /** When it had come in whole, milliseconds since the Unix epoch. */
  readonly at: number;
}

/**
 * Slack for tests: speaks the Web API on a free loopback port, keeps what it takes and misbehaves as told. Processes
 * other than the test's reach it by `url` and `token`.
 */
export class SlackDouble {
  /** Every request, in order. */
  readonly calls: SlackCallMade[] = [];
  /** Called synchronously right before and right after the answer to a call is written. */
  onReply: ((moment: 'before' | 'after', call: SlackCallMade) => void) | undefined;
  readonly token: string;
  readonly #workspace: Workspace;
  readonly #script = new SlackScript();
  readonly #server: Server;
  #port = 0;

  private constructor({ token = 'xoxb-test', channels }: SlackDoubleOptions) {
    this.token = token;
    this.#workspace = new Workspace(channels && new Set(channels));
    this.#server = createServer((request, response) => {
      // Clients that vanish are what the double is for.
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: SlackDoubleOptions = {}): Promise<SlackDouble> {
    const double = new SlackDouble(options);
    await double.acceptConnections();
    return double;
  }

  /** What clients take for `https://slack.com/api/`. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/api/`;
  }

  /** Every message posted, in order; one whose reply was dropped counts. */
  get messages(): readonly PostedMessage[] {
    return this.#workspace.messages;
  }

  /** Every file shared in a channel, in order. */
  get files(): readonly SharedFile[] {
    return this.#workspace.files;
  }

  /** Adds to the script; of several behaviours that apply, the one added first and not used up acts. */
  behave(behaviour: SlackBehaviour): void {
    this.#script.add(behaviour);
  }

  /** The first `count` messages, once that many have been posted. */
  posted(count: number, timeoutMs = 20_000): Promise<readonly PostedMessage[]> {
    return eventually(() => this.messages.length >= count && this.messages.slice(0, count), { timeoutMs });
  }

  /** Breaks every connection. */
  breakConnections(): void {
    this.#server.closeAllConnections();
  }

  /** Stops listening and breaks every connection; the port stays reserved in name only. */
  async refuseConnections(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.breakConnections();
    await closed;
  }

  /** Listens again after `refuseConnections`, on the same port. */
  async acceptConnections(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.refuseConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await this.#read(request);
    this.calls.push(call);
    const behaviour = this.#script.next(call.method, call.arguments['channel'] ?? call.arguments['channel_id']);
    await waited(behaviour?.wait);
    const { status = 200, headers = {}, body } = behaviour?.reply ?? { body: await this.#answer(request, call) };
    if (behaviour?.drop === 'beforeReply') {
      request.socket.destroy();
      return;
    }
    const isText = typeof body === 'string';
    const text = isText ? body : JSON.stringify(body ?? {});
    this.onReply?.('before', call);
    response.writeHead(status, {
      'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
      ...headers,
      ...(behaviour?.drop === 'withinReply' && { 'content-length': Buffer.byteLength(text) + 1 }),
    });
    if (behaviour?.drop === 'withinReply') response.write(text, () => request.socket.destroy());
    else response.end(text);
    this.onReply?.('after', call);
  }

  async #read(request: IncomingMessage): Promise<SlackCallMade> {
    const body = await buffer(request);
    const { url = '', headers } = request;
    const { pathname } = new URL(url, 'http://double');
    const method = pathname.startsWith('/upload/') ? 'upload' : pathname.replace(/^\/api\//, '');
    const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    const fields = isForm ? Object.fromEntries(new URLSearchParams(body.toString('utf8'))) : {};
    return { method, url, headers, body, arguments: fields, at: Date.now() };
  }

  async #answer(request: IncomingMessage, call: SlackCallMade): Promise<Answer | string> {
    if (request.method !== 'POST') return refusal('invalid_http_method');
    if (call.method === 'upload') return this.#workspace.upload(call.url, await contentOf(call));
    const problem = this.#problemOf(call);
    if (problem !== undefined) return refusal(problem);
    return this.#workspace.call(call.method, call.arguments, this.url);
  }

  /** What Slack checks of every call. */
  #problemOf({ headers, url }: SlackCallMade): string | undefined {
    // A token in a URL ends in logs; Slack refuses it likewise.
    if (url.includes('?')) return 'invalid_arguments';
    if (!headers['content-type']?.includes('application/x-www-form-urlencoded')) return 'invalid_post_type';
    if (headers.authorization === undefined) return 'not_authed';
    return headers.authorization === `Bearer ${this.token}` ? undefined : 'invalid_auth';
  }
}

function refusal(error: string): Answer {
  return { ok: false, error };
}

/** Slack takes the bytes as they are, or as the one file of a multipart form. */
async function contentOf({ headers, body }: SlackCallMade): Promise<Buffer> {
  const type = String(headers['content-type']);
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  const [file] = form.values();
  return file instanceof File ? Buffer.from(await file.arrayBuffer()) : Buffer.alloc(0);
}

async function waited(wait: number | PromiseLike<unknown> | undefined): Promise<void> {
  await (typeof wait === 'number' ? delay(wait, undefined, { ref: false }) : wait);
}
