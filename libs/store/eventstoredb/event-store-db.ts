import { newId, type RecordedEvent } from '#libs/kernel';
import {
  checkMetadata,
  checkTarget,
  metadataData,
  metadataOf,
  metadataPrefix,
  metadataType,
  type Append,
  type AppendResult,
  type EventFilter,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
  type ReadAllOptions,
  type ReadStreamOptions,
  type StoreCapabilities,
  type StreamMetadata,
  type SubscribeOptions,
  type SubscriptionBatch,
} from '#libs/store/port';
import { append, checkAppend } from './append.js';
import { softDelete, tombstone } from './deletions.js';
import { Live } from './live.js';
import { withDefaults, type EventStoreDbOptions } from './options.js';
import { headOf, readAll, readStream } from './reads.js';
import { Server } from './server.js';
import { subscribeToAll, subscribeToStream } from './subscription.js';

/**
 * Opens the store of a server of EventStoreDB, or of a cluster. Does not wait for the server: until it answers, requests
 * fail with `StoreUnavailable` and subscriptions wait.
 */
export async function openEventStoreDb(options: EventStoreDbOptions): Promise<EventStore> {
  return new Store(await Server.open(withDefaults(options)));
}

class Store implements EventStore {
  readonly capabilities: StoreCapabilities = { idempotentAny: true, groupCommit: false, scavenge: false };
  readonly #server: Server;
  readonly #live: Live;
  #closed: Promise<void> | undefined;

  constructor(server: Server) {
    this.#server = server;
    this.#live = new Live(server);
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<AppendResult> {
    return append(this.#server, checkAppend(stream, expected, events));
  }

  /** One after the other: the server knows no append to several streams. */
  async appendAll(appends: readonly Append[]): Promise<readonly AppendResult[]> {
    const results: AppendResult[] = [];
    for (const { stream, expected, events } of appends) results.push(await this.append(stream, expected, events));
    return results;
  }

  readStream(stream: string, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    return readStream(this.#server, stream, options);
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    return readAll(this.#server, options);
  }

  subscribeToStream(stream: string, options: SubscribeOptions = {}): AsyncIterable<SubscriptionBatch> {
    return subscribeToStream(this.#server, this.#live, stream, options);
  }

  subscribeToAll(options: SubscribeOptions & { readonly filter?: EventFilter } = {}): AsyncIterable<SubscriptionBatch> {
    return subscribeToAll(this.#server, this.#live, options);
  }

  head(): Promise<bigint> {
    return headOf(this.#server);
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
    checkTarget(stream, expected);
    await softDelete(this.#server, stream, expected);
  }

  async tombstoneStream(stream: string, expected: ExpectedRevision): Promise<void> {
    checkTarget(stream, expected);
    await tombstone(this.#server, stream, expected);
  }

  /** Left to the operators of the server, who scavenge it by its own means. */
  async scavenge(): Promise<number> {
    return 0;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#server.close();
    await this.#live.end();
  }
}
