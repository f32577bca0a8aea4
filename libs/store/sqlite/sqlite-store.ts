import { newId } from '#libs/kernel';
import {
  checkMetadata,
  metadataData,
  metadataPrefix,
  metadataType,
  Tail,
  type Append,
  type AppendResult,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
  type StoreCapabilities,
  type StoreUnavailable,
  type StreamMetadata,
} from '#libs/store/port';
import { AppendQueue } from './append-queue.js';
import { Channel, readyOrEnded } from './channel.js';
import { encodeAppend, encodeDeletion, type Entry } from './codec.js';
import {
  actionDelete,
  actionTombstone,
  idempotenceWindow,
  type ReaderRequest,
  type ReadyReply,
  type ScavengeReply,
  type WriterRequest,
} from './messages.js';
import { withDefaults, type SqliteStoreOptions, type SqliteStoreStats, type Tuning } from './options.js';
import { Reading } from './reading.js';
import { scavengeStart } from './scavenge.js';

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
  const { head } = await readyOrEnded<ReadyReply>(writer);
  const reader = new Channel<ReaderRequest>(new URL('./reader.worker.js', import.meta.url), tuning, onEnd);
  try {
    await readyOrEnded(reader);
  } catch (thrown) {
    await writer.close({ kind: 'close' });
    throw thrown;
  }
  opened.store = new Store(writer, reader, BigInt(head), tuning);
  return opened.store;
}

class Store extends Reading implements SqliteEventStore {
  readonly capabilities: StoreCapabilities = {
    idempotentAny: true,
    idempotenceWindow,
    groupCommit: true,
    scavenge: true,
  };
  readonly #writer: Channel<WriterRequest>;
  readonly #queue: AppendQueue;
  #failure: StoreUnavailable | undefined;
  #closed: Promise<void> | undefined;

  constructor(writer: Channel<WriterRequest>, reader: Channel<ReaderRequest>, head: bigint, tuning: Tuning) {
    super(reader, new Tail(head, tuning.tailEvents, tuning.tailLength));
    this.#writer = writer;
    this.#queue = new AppendQueue(writer, this.tail, tuning);
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<AppendResult> {
    this.checkOpen();
    return this.#add(encodeAppend(stream, expected, events));
  }

  async appendAll(appends: readonly Append[]): Promise<readonly AppendResult[]> {
    this.checkOpen();
    const entries: Entry[] = [];
    try {
      for (const { stream, expected, events } of appends) entries.push(encodeAppend(stream, expected, events));
    } catch (invalid) {
      return this.#queue.add(entries, invalid);
    }
    return this.#queue.add(entries);
  }

  async setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void> {
    checkMetadata(stream, metadata);
    await this.append(metadataPrefix + stream, 'any', [
      { id: newId(), type: metadataType, data: metadataData(metadata) },
    ]);
  }

  async deleteStream(stream: string, expected: ExpectedRevision): Promise<void> {
    this.checkOpen();
    await this.#add(encodeDeletion(actionDelete, stream, expected, newId()));
  }

  async tombstoneStream(stream: string, expected: ExpectedRevision): Promise<void> {
    this.checkOpen();
    await this.#add(encodeDeletion(actionTombstone, stream, expected, newId()));
  }

  async scavenge(): Promise<number> {
    const now = Date.now();
    let removed = 0;
    let after: ScavengeReply['next'] = scavengeStart;
    while (after !== undefined) {
      this.checkOpen();
      const step: ScavengeReply = await this.#writer.call<ScavengeReply>({ kind: 'scavenge', after, now });
      removed += step.removed;
      after = step.next;
    }
    return removed;
  }

  stats(): SqliteStoreStats {
    const { commits, records, bytes } = this.#queue;
    return { commits, records, bytes, messages: this.#writer.messages + this.reader.messages };
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
    await this.reader.close({ kind: 'close' }).finally(() => this.#writer.close({ kind: 'close' }));
  }

  isOpen(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#closed === undefined;
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
}
