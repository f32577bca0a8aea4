import type { Metadata, RecordedEvent } from '#libs/kernel';

/** The revision a writer expects the stream to be at: its last one, or one of EventStoreDB's words. */
export type ExpectedRevision = bigint | 'noStream' | 'streamExists' | 'any';

/** A record to append. */
export interface NewEvent {
  /** UUID, chosen by the writer. */
  readonly id: string;
  readonly type: string;
  /** JSON; handed on as it is to readers of the same process, so never change it afterwards. */
  readonly data: unknown;
  readonly metadata?: Metadata;
  /** True where the writer's types have checked the data: readers in the same process need not do it again. */
  readonly checked?: boolean;
}

/** An append to one stream: all of its events or none. */
export interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** Where the events stand. */
export interface AppendResult {
  /** Revision of the last event given. */
  readonly revision: bigint;
  /** Position of the last event given; unknown where the store does not tell it for a repeated append. */
  readonly position: bigint | undefined;
}

/** What EventStoreDB keeps beside a stream. */
export interface StreamMetadata {
  /** Only the last so many events are read. */
  readonly maxCount?: number;
  /** Events older than so many seconds are not read. */
  readonly maxAge?: number;
  /** Events below this revision are not read. */
  readonly truncateBefore?: bigint;
}

/** Which records of the whole store: every condition given has to hold, within one any entry will do. */
export interface EventFilter {
  readonly categories?: readonly string[];
  readonly streamPrefixes?: readonly string[];
  readonly types?: readonly string[];
}

export type Direction = 'forwards' | 'backwards';

export interface ReadStreamOptions {
  /** Default `forwards`. */
  readonly direction?: Direction;
  /** First revision to read, inclusive. Default the start, or the end when backwards. */
  readonly from?: bigint;
  /** Default: all there is. */
  readonly limit?: number;
}

export interface ReadAllOptions {
  readonly direction?: Direction;
  /** First position to read, inclusive. Default the start, or the end when backwards. */
  readonly from?: bigint;
  readonly limit?: number;
  readonly filter?: EventFilter;
}

/** What a subscription hands out at a time. */
export interface SubscriptionBatch {
  /** In order; empty when only the checkpoint moved. */
  readonly events: readonly RecordedEvent[];
  /**
   * Everything up to here has been handed out. A position, or a revision when the subscription is on a stream.
   * A subscription that starts after it sees neither a gap nor a duplicate.
   */
  readonly checkpoint: bigint;
  /** True when nothing was left to hand out at that moment. */
  readonly live: boolean;
}

export interface SubscribeOptions {
  /** Start after this one, exclusive. Default: from the start. */
  readonly after?: bigint | undefined;
  /** Ends the subscription: the iteration finishes without an error. */
  readonly signal?: AbortSignal;
}

/** What a store can do beyond the port's core; the contract suite holds it to what it declares. */
export interface StoreCapabilities {
  /** `any` and `streamExists` recognise events that were appended a short time ago. */
  readonly idempotentAny: boolean;
  /**
   * A short time ago is: among so many of the stream's last events. Left out where it depends on something else, such as
   * the memory of a server.
   */
  readonly idempotenceWindow?: number;
  /** `appendAll` commits its appends in one transaction where it can. */
  readonly groupCommit: boolean;
  /** `scavenge` removes what is not read any more from the disk. */
  readonly scavenge: boolean;
}

/**
 * Bytes of data and metadata, as UTF-8 JSON, that one append may hold at most, with two more for each character of an
 * event's type: EventStoreDB counts so.
 */
export const maxAppendBytes = 1_048_576;

/**
 * A store of streams in EventStoreDB's terms. Appends are answered as EventStoreDB answers them: see
 * docs/event-store.md for the table.
 *
 * Streams whose name starts with `$` are the store's own: they are left out of reads and subscriptions of all
 * streams.
 */
export interface EventStore {
  readonly capabilities: StoreCapabilities;

  /**
   * Appends to one stream. Resolves when the events are durable.
   * @throws WrongExpectedRevision, CorruptedIdempotency, StreamDeleted, AppendTooLarge, StoreUnavailable
   */
  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<AppendResult>;

  /**
   * Appends in order and stops at the first that fails: those before it stay. They may be committed together, but
   * a crash can leave any first part of them.
   * @throws as `append`, of the first that failed
   */
  appendAll(appends: readonly Append[]): Promise<readonly AppendResult[]>;

  /** The events of a stream; none where it does not exist or was deleted. @throws StreamDeleted on a tombstone */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;

  /** The events of all streams in order of position. */
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;

  /** Follows a stream: what it holds, then what comes. Its checkpoints are revisions. */
  subscribeToStream(stream: string, options?: SubscribeOptions): AsyncIterable<SubscriptionBatch>;

  /** Follows all streams: what they hold, then what comes. Its checkpoints are positions and pass over what the filter leaves out. */
  subscribeToAll(options?: SubscribeOptions & { readonly filter?: EventFilter }): AsyncIterable<SubscriptionBatch>;

  /** Position of the last record; 0 when there is none. */
  head(): Promise<bigint>;

  getStreamMetadata(stream: string): Promise<StreamMetadata>;

  /** Replaces the metadata. */
  setStreamMetadata(stream: string, metadata: StreamMetadata): Promise<void>;

  /** Soft delete: the events are not read any more; an append goes on at the next revision. @throws WrongExpectedRevision, StreamDeleted */
  deleteStream(stream: string, expected: ExpectedRevision): Promise<void>;

  /** Deletes for ever: the name cannot be used again. @throws WrongExpectedRevision, StreamDeleted */
  tombstoneStream(stream: string, expected: ExpectedRevision): Promise<void>;

  /** Removes from the disk what is not read any more; answers how many events went. */
  scavenge(): Promise<number>;

  /** Ends subscriptions, finishes what was accepted, closes the files. */
  close(): Promise<void>;
}

/** The part of a store that only reads. */
export type ReadableStore = Pick<
  EventStore,
  'readStream' | 'readAll' | 'subscribeToStream' | 'subscribeToAll' | 'head' | 'getStreamMetadata'
>;
