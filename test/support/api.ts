import type { NotificationView } from '#libs/notification';

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, else its text. */
  readonly body: Body;
}

/** A record as `/events` shows it. */
export interface EventItem {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly occurredAt: string;
  readonly causationId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Why it cannot be read; only of one that cannot. */
  readonly unreadable?: string;
}

export interface Accepted {
  readonly id: string;
  readonly status: string;
  readonly href: string;
}

type HeaderTexts = Readonly<Record<string, string>>;

/** A client of the API, with what the scenarios do again and again. */
export class Api {
  /**
   * @param server its URL, or what has it: a server that is started again may be elsewhere then
   * @param key API key that every request has
   */
  constructor(
    private readonly server: string | { readonly url: string },
    readonly key?: string,
  ) {}

  get url(): string {
    return typeof this.server === 'string' ? this.server : this.server.url;
  }

  /** @param body sent as JSON, or as it is where it is a text or bytes */
  async request<Body = Readonly<Record<string, unknown>>>(
    method: string,
    path: string,
    body?: unknown,
    headers: HeaderTexts = {},
  ): Promise<Answer<Body>> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.key !== undefined && { authorization: `Bearer ${this.key}` }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as Body };
  }

  /** Puts a recipient with a mail address. @throws where it is refused */
  async putRecipient(id: string, address: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const answer = await this.request('PUT', `/v1/recipients/${id}`, { channels: { email: { address } }, ...more });
    if (answer.status !== 201 && answer.status !== 200) throw unexpected(answer);
  }

  /** Posts a notification and answers its id. @throws where it is refused */
  async notify(
    recipientId: string,
    more: Readonly<Record<string, unknown>> = {},
    headers: HeaderTexts = {},
  ): Promise<string> {
    const notification = { recipientId, content: { subject: 'Hello', text: 'How are you?' }, ...more };
    const answer = await this.request<Accepted>('POST', '/v1/notifications', notification, headers);
    if (answer.status !== 202) throw unexpected(answer);
    return answer.body.id;
  }

  /** The view as it is now. */
  async view(id: string): Promise<NotificationView> {
    return (await this.request<NotificationView>('GET', `/v1/notifications/${id}`)).body;
  }

  /** The view once nothing more will become of the notification. @throws where that takes longer than 20 seconds */
  async finalView(id: string): Promise<NotificationView> {
    const { body } = await this.request<NotificationView>('GET', `/v1/notifications/${id}?wait=20`);
    if (body.completedAt === null) throw new Error(`not final: ${JSON.stringify(body)}`);
    return body;
  }

  async events(id: string): Promise<readonly EventItem[]> {
    return (await this.request<{ items: EventItem[] }>('GET', `/v1/notifications/${id}/events`)).body.items;
  }
}

function unexpected({ status, body }: Answer<unknown>): Error {
  return new Error(`unexpected answer ${status}: ${JSON.stringify(body)}`);
}
