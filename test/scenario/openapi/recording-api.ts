import { Api, type Answer } from '../../support/index.js';
import type { Exchange } from './conformance.js';

/** Keeps everything that was asked and answered. */
export class RecordingApi extends Api {
  readonly exchanges: Exchange[] = [];

  override async request<Body = Readonly<Record<string, unknown>>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Body>> {
    const answer = await super.request<Body>(method, path, body, headers);
    const isJson = typeof body === 'object' && !(body instanceof Uint8Array);
    const requestHeaders = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    this.exchanges.push({ method, path, requestHeaders, requestBody: isJson ? body : undefined, ...answer });
    return answer;
  }
}
