import { newId, type RecordedEvent } from '#libs/kernel';
import {
  checkMetadata,
  metadataData,
  metadataOf,
  metadataPrefix,
  metadataType,
  StoreUnavailable,
  Tail,
  type Append,
  type AppendResult,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
  type ReadAllOptions,
  type ReadStreamOptions,
  type StoreCapabilities,
  type StreamMetadata,
  type SubscribeOptions,
  type EventFilter,
  type SubscriptionBatch,
} from '#libs/store/port';
import { AppendQueue } from './append-queue.js';
import { Channel } from './channel.js';
import { encodeAppend, encodeDeletion, recordOfRow, type Entry } from './codec.js';
import {
  actionDelete,
  actionTombstone,
  idempotenceWindow,
  type PageReply,
  type PageRequest,
  type ReaderRequest,
  type ReadyReply,
  type ScavengeReply,
  type WriterRequest,
} from './messages.js';
import { withDefaults, type SqliteStoreOptions, type SqliteStoreStats, type Tuning } from './options.js';
import { PageReader, pagesOf } from './page-reader.js';
import { scavengeStart } from './scavenge.js';
import { subscribeToAll, subscribeToStream, type Source } from './subscription.js';

/** An event store in this process and one directory. */
export interface SqliteEventStore extends EventStore {
  stats(): SqliteStoreStats;
}

/**
 * Opens the store of a directory, making it when there is none.
 * @throws StoreUnusable when another process uses the directory, when its files are damaged, or were made by a
 * newer version; nothing is changed then
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteEventStore> {
  const tuning = withDefaults(options);
  // A thread that dies while the store is opened shows in `ready` instead.
  const opened: { store?: Store } = {};
  const onEnd = (error: StoreUnavailable) => opened.store?.fail(error);
  const writer = new Channel<WriterRequest>(new URL('./writer.worker.js', import.meta.url), tuning, onEnd);
  const { head } = await ready<ReadyReply>(writer);
  const reader = new Channel<ReaderRequest>(new URL('./reader.worker.js', import.meta.url), tuning, onEnd);
  try {
    await ready(reader);
  } catch (thrown) {
    await writer.close({ kind: 'close' });
    throw thrown;
  }
  opened.store = new Store(writer, reader, BigInt(head), tuning);
  return opened.store;
}

async function ready<Value>(channel: Channel<never>): Promise<Value> {
  try {
    return await channel.ready<Value>();
  } catch (thrown) {
    await channel.terminate();
    throw thrown;
  }
}

class Store implements SqliteEventStore, Source {
  readonly capabilities: StoreCapabilities = {
    idempotentAny: true,
    idempotenceWindow,
    groupCommit: true,
    scavenge: true,
  };
  readonly tail: Tail;
  readonly #writer: Channel<WriterRequest>;
  readonly #reader: Channel<ReaderRequest>;
  readonly #queue: AppendQueue;
  readonly #pages: PageReader;
  #failure: StoreUnavailable | undefined;
  #closed: Promise<void> | undefined;

  constructor(writer: Channel<WriterRequest>, reader: Channel<ReaderRequest>, head: bigint, tuning: Tuning) {
    this.#writer = writer;
    this.#reader = reader;
    this.tail = new Tail(head, tuning.tailEvents, tuning.tailLength);
    this.#queue = new AppendQueue(writer, this.tail, tuning);
    this.#pages = new PageReader(reader);
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<AppendResult> {
    this.#checkOpen();
    return this.#add(encodeAppend(stream, expected, events));
  }

  async appendAll(appends: readonly Append[]): Promise<readonly AppendResult[]> {
    this.#checkOpen();
    const entries: Entry[] = [];
    try {
      for (const { stream, expected, events } of appends) entries.push(encodeAppend(stream, expected, events));
    } catch (invalid) {
      return this.#queue.add(entries, invalid);
    }
    return this.#queue.add(entries);
  }

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
    this.#checkOpen();
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
    this.#checkOpen();
    return this.tail.head;
  }

  async getStreamMetadata(stream: string): Promise<StreamMetadata> {
    for await (const { data } of this.readStream(metadataPrefix + stream, { direction: 'backwards', limit: 1 })) {
      return metadataOf(data);
    }
    return {};
  }

  async setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void> {
    checkMetadata(stream, metadata);
    await this.append(metadataPrefix + stream, 'any', [
      { id: newId(), type: metadataType, data: metadataData(metadata) },
    ]);
  }

  async deleteStream(stream: string, expected: ExpectedRevision): Promise<void> {
    this.#checkOpen();
    await this.#add(encodeDeletion(actionDelete, stream, expected, newId()));
  }

  async tombstoneStream(stream: string, expected: ExpectedRevision): Promise<void> {
    this.#checkOpen();
    await this.#add(encodeDeletion(actionTombstone, stream, expected, newId()));
  }

  async scavenge(): Promise<number> {
    const now = Date.now();
    let removed = 0;
    let after: ScavengeReply['next'] = scavengeStart;
    while (after !== undefined) {
      this.#checkOpen();
      const step: ScavengeReply = await this.#writer.call<ScavengeReply>({ kind: 'scavenge', after, now });
      removed += step.removed;
      after = step.next;
    }
    return removed;
  }

  stats(): SqliteStoreStats {
    const { commits, records, bytes } = this.#queue;
    return { commits, records, bytes, messages: this.#writer.messages + this.#reader.messages };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.tail.end();
    await this.#queue.drained();
    // Reads asked for in this turn are sent in the next.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#reader.close({ kind: 'close' }).finally(() => this.#writer.close({ kind: 'close' }));
  }

  isOpen(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#closed === undefined;
  }

  async read(request: PageRequest): Promise<PageReply> {
    this.#checkOpen();
    return this.#pages.read(request);
  }

  /** A thread is gone: what waits is rejected, and so is everything after. */
  fail(error: StoreUnavailable): void {
    this.#failure ??= error;
    this.#queue.fail(this.#failure);
    this.tail.end();
  }

  async #add(entry: Entry): Promise<AppendResult> {
    const [result] = await this.#queue.add([entry]);
    return result!;
  }

  #checkOpen(): void {
    if (!this.isOpen()) throw new StoreUnavailable('the store is closed');
  }
}

function bound(from: bigint | undefined, backwards: boolean, lowest: number, highest: number): number {
  if (from === undefined) return backwards ? highest : lowest;
  return backwards ? Math.min(Number(from), highest) : Math.max(Number(from), lowest);
}
