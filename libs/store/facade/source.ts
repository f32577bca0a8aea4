import type { RecordedEvent } from '#libs/kernel';
import type { Direction, ReadableStore, SubscriptionBatch } from '#libs/store/port';
import type { Selection } from './selection.js';

/** Where a client wants to begin. */
export type From = 'start' | 'end' | bigint;

export interface ReadOptions {
  readonly direction: Direction;
  readonly from: From;
  readonly limit: number;
}

/** What can be read and followed: a stream, or some records of the whole store. */
export interface Source {
  read(options: ReadOptions, signal: AbortSignal): AsyncIterable<RecordedEvent>;
  /** Begins after `from`, exclusive. */
  subscribe(from: From, signal: AbortSignal): AsyncIterable<SubscriptionBatch>;
}

/** Records that are looked through at a time. */
const chunkSize = 256;

/** A stream by its revisions. */
export class StreamSource implements Source {
  constructor(
    readonly store: ReadableStore,
    readonly stream: string,
  ) {}

  async *read({ direction, from, limit }: ReadOptions): AsyncGenerator<RecordedEvent, void, undefined> {
    if (direction === 'forwards' && from === 'end') return;
    yield* this.store.readStream(this.stream, { direction, ...fromOption(from, direction, 0n), limit });
  }

  /** Whether there is anything to read. @throws StreamDeleted */
  async exists(): Promise<boolean> {
    return (await this.#last()) !== undefined;
  }

  async *subscribe(from: From, signal: AbortSignal): AsyncGenerator<SubscriptionBatch, void, undefined> {
    const after = from === 'end' ? await this.#last() : from === 'start' ? undefined : from;
    yield* this.store.subscribeToStream(this.stream, { after, signal });
  }

  async #last(): Promise<bigint | undefined> {
    for await (const { revision } of this.store.readStream(this.stream, { direction: 'backwards', limit: 1 })) {
      return revision;
    }
    return undefined;
  }
}

/** Some records of the whole store, by their positions. Positions to read from are inclusive in both directions. */
export class SelectionSource implements Source {
  constructor(
    readonly store: ReadableStore,
    readonly selection: Selection,
  ) {}

  async *read(
    { direction, from, limit }: ReadOptions,
    signal: AbortSignal,
  ): AsyncGenerator<RecordedEvent, void, undefined> {
    if (direction === 'forwards' ? from === 'end' : from === 'start') return;
    const { filter, pick, since } = this.selection;
    const first = since === undefined ? 1n : await positionAt(this.store, since);
    const begin = direction === 'forwards' && (from === 'start' || (from !== 'end' && from < first)) ? first : from;
    const options = { direction, ...fromOption(begin, direction, first), ...(filter !== undefined && { filter }) };
    if (pick === undefined) {
      yield* this.store.readAll({ ...options, limit });
      return;
    }
    let left = limit;
    for await (const chunk of chunksOf(this.store.readAll(options))) {
      signal.throwIfAborted();
      const within = chunk.filter(({ position }) => position >= first);
      for (const record of pick(within)) {
        yield record;
        left -= 1;
        if (left === 0) return;
      }
      if (within.length < chunk.length) return;
    }
  }

  async *subscribe(from: From, signal: AbortSignal): AsyncGenerator<SubscriptionBatch, void, undefined> {
    const { filter, pick, since } = this.selection;
    const first = since === undefined ? 1n : await positionAt(this.store, since);
    const after = from === 'end' ? await this.store.head() : from === 'start' || from < first ? first - 1n : from;
    for await (const batch of this.store.subscribeToAll({ after, signal, ...(filter !== undefined && { filter }) })) {
      yield pick === undefined ? batch : { ...batch, events: pick(batch.events) };
    }
  }
}

function fromOption(from: From, direction: Direction, first: bigint): { readonly from?: bigint } {
  if (from === (direction === 'forwards' ? 'start' : 'end')) return {};
  return { from: typeof from === 'bigint' ? from : first };
}

async function* chunksOf<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item[], void, undefined> {
  let chunk: Item[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < chunkSize) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** The position of the first record of that time or later, found by halving; the position after the last where there is none. */
async function positionAt(store: ReadableStore, time: number): Promise<bigint> {
  let low = 1n;
  let high = (await store.head()) + 1n;
  while (low < high) {
    const middle = (low + high) / 2n;
    let found: RecordedEvent | undefined;
    for await (const record of store.readAll({ from: middle, limit: 1 })) found = record;
    if (found === undefined || found.created >= time) high = middle;
    else low = found.position + 1n;
  }
  return low;
}
