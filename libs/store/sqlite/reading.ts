import type { RecordedEvent } from '#libs/kernel';
import {
  metadataOf,
  metadataPrefix,
  StoreUnavailable,
  type EventFilter,
  type ReadableStore,
  type ReadAllOptions,
  type ReadStreamOptions,
  type StreamMetadata,
  type SubscribeOptions,
  type SubscriptionBatch,
  type Tail,
} from '#libs/store/port';
import type { Channel } from './channel.js';
import { recordOfRow } from './codec.js';
import type { PageReply, PageRequest, ReaderRequest } from './messages.js';
import { PageReader, pagesOf } from './page-reader.js';
import { subscribeToAll, subscribeToStream, type Source } from './subscription.js';

/** Everything that reads, over the reader's thread and the tail. */
export abstract class Reading implements ReadableStore, Source {
  readonly #pages: PageReader;

  constructor(
    protected readonly reader: Channel<ReaderRequest>,
    readonly tail: Tail,
  ) {
    this.#pages = new PageReader(reader);
  }

  abstract isOpen(): boolean;

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent, void, undefined> {
    const backwards = options.direction === 'backwards';
    const start = bound(options.from, backwards, 0, Number.MAX_SAFE_INTEGER);
    const read = (from: number, limit: number) =>
      this.read({ kind: 'stream', stream, from, backwards, limit, now: Date.now() });
    for await (const page of pagesOf(read, start, backwards, options.limit ?? Infinity)) {
      for (const row of page.rows) yield recordOfRow(row, stream);
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent, void, undefined> {
    this.checkOpen();
    const backwards = options.direction === 'backwards';
    const head = Number(this.tail.head);
    const to = backwards ? 1 : head;
    const start = bound(options.from, backwards, 1, head);
    if (backwards ? start < to : start > to) return;
    const { categories, streamPrefixes, types } = options.filter ?? {};
    const read = (from: number, limit: number) =>
      this.read({ kind: 'all', from, to, backwards, limit, categories, streamPrefixes, types });
    for await (const page of pagesOf(read, start, backwards, options.limit ?? Infinity)) {
      for (const row of page.rows) yield recordOfRow(row, undefined);
    }
  }

  subscribeToStream(stream: string, options?: SubscribeOptions): AsyncIterable<SubscriptionBatch> {
    return subscribeToStream(this, stream, options);
  }

  subscribeToAll(options?: SubscribeOptions & { readonly filter?: EventFilter }): AsyncIterable<SubscriptionBatch> {
    return subscribeToAll(this, options);
  }

  async head(): Promise<bigint> {
    this.checkOpen();
    return this.tail.head;
  }

  async getStreamMetadata(stream: string): Promise<StreamMetadata> {
    for await (const { data } of this.readStream(metadataPrefix + stream, { direction: 'backwards', limit: 1 })) {
      return metadataOf(data);
    }
    return {};
  }

  async read(request: PageRequest): Promise<PageReply> {
    this.checkOpen();
    return this.#pages.read(request);
  }

  protected checkOpen(): void {
    if (!this.isOpen()) throw new StoreUnavailable('the store is closed');
  }
}

function bound(from: bigint | undefined, backwards: boolean, lowest: number, highest: number): number {
  if (from === undefined) return backwards ? highest : lowest;
  return backwards ? Math.min(Number(from), highest) : Math.max(Number(from), lowest);
}
