import { StreamDeleted } from '#libs/store/port';
import type { Channel } from './channel.js';
import { deserializeFailure } from './failure.js';
import type { PageReply, PageRequest, ReaderRequest } from './messages.js';

interface Waiting {
  readonly request: PageRequest;
  readonly resolve: (page: PageReply) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads pages on the reader's thread. Reads asked for in the same turn of the event loop share one message. */
export class PageReader {
  readonly #channel: Channel<ReaderRequest>;
  #waiting: Waiting[] = [];

  constructor(channel: Channel<ReaderRequest>) {
    this.#channel = channel;
  }

  /** @throws StreamDeleted, StoreUnavailable, StoreUnusable */
  read(request: PageRequest): Promise<PageReply> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => void this.#send());
      this.#waiting.push({ request, resolve, reject });
    });
  }

  async #send(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const text = await this.#channel.call<string>({ kind: 'read', requests: waiting.map(({ request }) => request) });
      const pages = JSON.parse(text) as PageReply[];
      for (const [index, { request, resolve, reject }] of waiting.entries()) {
        const page = pages[index]!;
        if (page.failure !== undefined) reject(deserializeFailure(page.failure));
        else if (page.deleted && request.kind === 'stream') reject(new StreamDeleted(request.stream));
        else resolve(page);
      }
    } catch (thrown) {
      for (const { reject } of waiting) reject(thrown);
    }
  }
}

const firstRows = 64;
const mostRows = 1000;
const wantedLength = 256 * 1024;

/** How many rows to ask for: few at first, then as many as make a page of a good size. */
export class PageSize {
  #rows = firstRows;

  within(limit: number): number {
    return Math.min(this.#rows, limit);
  }

  learn(page: PageReply): void {
    if (page.rows.length === 0) return;
    const each = Math.max(1, page.length / page.rows.length);
    this.#rows = Math.max(1, Math.min(mostRows, this.#rows * 4, Math.floor(wantedLength / each)));
  }
}

/**
 * Pages one after the other. From the second on, the next is read while one is handed out: whoever wants only a
 * few rows pays for no page that nobody reads.
 */
export async function* pagesOf(
  read: (from: number, limit: number) => Promise<PageReply>,
  start: number,
  backwards: boolean,
  limit: number,
): AsyncGenerator<PageReply, void, undefined> {
  const size = new PageSize();
  let left = limit;
  let ahead: Promise<PageReply> | undefined;
  for (let from = start, number = 1; left > 0; number += 1) {
    const page = await (ahead ?? read(from, size.within(left)));
    ahead = undefined;
    size.learn(page);
    left -= page.rows.length;
    from = page.scanned + (backwards ? -1 : 1);
    if (number > 1 && left > 0 && !page.end) {
      ahead = read(from, size.within(left));
      // Whoever stops reading never looks at it; everyone else awaits it above.
      ahead.catch(() => undefined);
    }
    yield page;
    if (page.end) return;
  }
}
