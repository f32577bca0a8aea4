import {
  batchLimit,
  followStream,
  matcherOf,
  Progress,
  type EventFilter,
  type SubscribeOptions,
  type SubscriptionBatch,
  type Tail,
} from '#libs/store/port';
import { recordOfRow } from './codec.js';
import type { PageRequest, PageReply } from './messages.js';
import { PageSize } from './page-reader.js';

/** What a subscription needs of its store. */
export interface Source {
  readonly tail: Tail;
  /** False once the store is closing. @throws StoreUnavailable when it failed */
  isOpen(): boolean;
  read(request: PageRequest): Promise<PageReply>;
}

export async function* subscribeToAll(
  source: Source,
  options: SubscribeOptions & { readonly filter?: EventFilter } = {},
): AsyncGenerator<SubscriptionBatch, void, undefined> {
  const { tail } = source;
  const { filter, signal } = options;
  const matches = matcherOf(filter);
  const pageSize = new PageSize();
  const progress = new Progress(options.after ?? 0n);
  while (source.isOpen() && !signal?.aborted) {
    const position = progress.checkpoint;
    const slice = tail.after(position, matches, batchLimit) ?? (await pageAfter(source, position, filter, pageSize));
    if (signal?.aborted) return;
    const batch = progress.batch(slice.events, max(slice.scanned, position), slice.scanned >= tail.head);
    if (batch !== undefined) yield batch;
    else await tail.wait(progress.checkpoint, matches, signal);
  }
}

async function pageAfter(source: Source, position: bigint, filter: EventFilter | undefined, pageSize: PageSize) {
  const page = await source.read({
    kind: 'all',
    from: Number(position) + 1,
    to: Number(source.tail.head),
    backwards: false,
    limit: pageSize.within(Infinity),
    categories: filter?.categories,
    streamPrefixes: filter?.streamPrefixes,
    types: filter?.types,
  });
  pageSize.learn(page);
  return { events: page.rows.map((row) => recordOfRow(row, undefined)), scanned: BigInt(page.scanned) };
}

export function subscribeToStream(
  source: Source,
  stream: string,
  { after = -1n, signal }: SubscribeOptions = {},
): AsyncGenerator<SubscriptionBatch, void, undefined> {
  const pageSize = new PageSize();
  return followStream({
    tail: source.tail,
    stream,
    after,
    signal,
    isOpen: () => source.isOpen(),
    async read(from) {
      const page = await source.read({
        kind: 'stream',
        stream,
        from: Number(from),
        backwards: false,
        limit: pageSize.within(Infinity),
        now: Date.now(),
      });
      pageSize.learn(page);
      return { events: page.rows.map((row) => recordOfRow(row, stream)), end: page.end };
    },
  });
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
