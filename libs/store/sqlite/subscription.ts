import type { RecordedEvent } from '#libs/kernel';
import {
  matcherOf,
  StreamDeleted,
  tombstoneType,
  type EventFilter,
  type Matcher,
  type SubscribeOptions,
  type SubscriptionBatch,
  type Tail,
} from '#libs/store/port';
import { recordOfRow } from './codec.js';
import type { PageRequest, PageReply } from './messages.js';
import { PageSize } from './page-reader.js';

const batchLimit = 500;

/** What a subscription needs of its store. */
export interface Source {
  readonly tail: Tail;
  /** False once the store is closing. @throws StoreUnavailable when it failed */
  isOpen(): boolean;
  read(request: PageRequest): Promise<PageReply>;
}

/** How far a subscription has got, and whether there is anything to tell. */
class Progress {
  #live = false;

  constructor(public checkpoint: bigint) {}

  /** Undefined when there is nothing new to tell. */
  batch(events: readonly RecordedEvent[], checkpoint: bigint, live: boolean): SubscriptionBatch | undefined {
    const news = events.length > 0 || checkpoint > this.checkpoint || (live && !this.#live);
    this.checkpoint = checkpoint;
    this.#live = live;
    return news ? { events, checkpoint, live } : undefined;
  }
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

export async function* subscribeToStream(
  source: Source,
  stream: string,
  options: SubscribeOptions = {},
): AsyncGenerator<SubscriptionBatch, void, undefined> {
  const { tail } = source;
  const { signal } = options;
  const pageSize = new PageSize();
  const progress = new Progress(options.after ?? -1n);
  /** Everything of the stream up to this position is handed out; undefined while reading from the disk. */
  let position: bigint | undefined;
  const matches: Matcher = (record) => record.stream === stream && record.revision > progress.checkpoint;
  while (source.isOpen() && !signal?.aborted) {
    const slice = position === undefined ? undefined : tail.after(position, matches, batchLimit);
    let events: readonly RecordedEvent[];
    if (slice !== undefined) {
      events = slice.events;
      position = slice.scanned;
    } else {
      const head = tail.head;
      const page = await source.read({
        kind: 'stream',
        stream,
        from: Number(progress.checkpoint) + 1,
        backwards: false,
        limit: pageSize.within(Infinity),
        now: Date.now(),
      });
      pageSize.learn(page);
      events = page.rows.map((row) => recordOfRow(row, stream));
      position = page.end ? head : undefined;
    }
    if (signal?.aborted) return;
    if (events.at(-1)?.type === tombstoneType) throw new StreamDeleted(stream);
    const batch = progress.batch(events, events.at(-1)?.revision ?? progress.checkpoint, position === tail.head);
    if (batch !== undefined) yield batch;
    else if (position !== undefined) await tail.wait(position, matches, signal);
  }
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
