import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A channel in which nothing can be said any more. */
export const archivedChannel = 'C0ARCHIVED';

/** Of so many messages, one is told to come back. */
const oneTooMany = 7;

/** Slack as far as it takes messages: it keeps nothing, and fails as the real one does. */
export class SlackProvider {
  readonly token = 'xoxb-demo-token';
  private readonly server: Server;
  private calls = 0;

  private constructor() {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<SlackProvider> {
    const provider = new SlackProvider();
    provider.server.listen(0, '127.0.0.1');
    await once(provider.server, 'listening');
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/api/`;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const channel = new URLSearchParams(await text(request)).get('channel');
    this.calls += 1;
    const isTooMany = this.calls % oneTooMany === 0;
    response.writeHead(isTooMany ? 429 : 200, {
      'content-type': 'application/json; charset=utf-8',
      ...(isTooMany && { 'retry-after': '2' }),
    });
    response.end(JSON.stringify(isTooMany ? refusal('ratelimited') : this.post(request.url, channel)));
  }

  private post(path: string | undefined, channel: string | null): object {
    if (path !== '/api/chat.postMessage') return refusal('unknown_method');
    if (channel === archivedChannel) return refusal('is_archived');
    return { ok: true, channel, ts: `1700000000.${String(this.calls).padStart(6, '0')}` };
  }
}

function refusal(error: string): object {
  return { ok: false, error };
}
