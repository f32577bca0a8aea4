import type { ProblemDocument } from '#libs/http';
import { messageOf } from '#libs/kernel';
import type { NotificationView } from '#libs/notification';
import { DemoFailed } from './options.js';

/** How long an answer may take, in milliseconds. */
const patience = 40_000;

/** What can be asked of a server, over its public API. Every method throws `DemoFailed` where there is no good answer. */
export class DemoApi {
  /** @param url without a slash at the end */
  constructor(
    readonly url: string,
    private readonly apiKey?: string,
  ) {}

  async put(path: string, body: object): Promise<void> {
    await this.request('PUT', path, body);
  }

  post<Body>(path: string, body?: object): Promise<Body> {
    return this.request('POST', path, body);
  }

  /** Posts a notification, or a broadcast, and answers its id. */
  async tell(body: object): Promise<string> {
    return (await this.post<{ readonly id: string }>('/v1/notifications', body)).id;
  }

  /** The view of a notification, as soon as it has ended or after so many seconds. */
  view(id: string, wait: number): Promise<NotificationView> {
    return this.request('GET', `/v1/notifications/${id}?wait=${wait}`);
  }

  private async request<Body>(method: string, path: string, body?: object): Promise<Body> {
    const headers = {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(this.apiKey !== undefined && { authorization: `Bearer ${this.apiKey}` }),
    };
    let status: number;
    let text: string;
    try {
      const signal = AbortSignal.timeout(patience);
      const response = await fetch(this.url + path, { method, headers, body: JSON.stringify(body) ?? null, signal });
      status = response.status;
      text = await response.text();
    } catch (error) {
      const cause = (error as { readonly cause?: unknown }).cause ?? error;
      throw new DemoFailed(`no answer from ${this.url}: ${messageOf(cause)}`);
    }
    if (status < 200 || status > 299) throw new DemoFailed(`${method} ${path} answered ${status}: ${detailIn(text)}`);
    return JSON.parse(text) as Body;
  }
}

function detailIn(text: string): string {
  try {
    const { detail, title } = JSON.parse(text) as Partial<ProblemDocument>;
    return detail ?? title ?? 'no reason given';
  } catch {
    return 'this is not how Tidings answers';
  }
}
