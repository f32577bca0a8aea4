import {
  deriveId,
  newId,
  parse,
  StreamAccessDenied,
  declaredCategoryOf,
  isVersioned,
  streamName,
  correlationOf,
  type Message,
  type MessageOf,
  type RecordedEvent,
  type RecordOf,
  type StreamDefinition,
} from '#libs/kernel';
import {
  StreamDeleted,
  type Append,
  type AppendResult,
  type EventStore,
  type ReadStreamOptions,
  type StreamMetadata,
} from '#libs/store/port';
import { noViews, type ViewNames } from '../view/view-names.js';
import type { Lease } from '../lease/lease.js';
import { untraced, type WorkTrace } from '../work-trace.js';
import { appendApart } from './append-apart.js';

/** A revision that a writer can know: handlers are offered neither `any` nor `streamExists`. */
export type KnownRevision = bigint | 'noStream';

/** What a record's metadata hands on to everything that follows from it: the trace, and the broadcast it belongs to. */
const carriedMetadata = ['traceparent', 'broadcastId', 'broadcastOrdinal'] as const;

/** Metadata of what follows from a record, beside the flow that it is part of. */
export function metadataAfter({ id, metadata }: RecordedEvent): Readonly<Record<string, unknown>> {
  const after: Record<string, unknown> = { $causationId: id };
  for (const key of carriedMetadata) if (metadata[key] !== undefined) after[key] = metadata[key];
  return after;
}

/** Reading single streams of the declared categories. */
export interface StreamReader<Readable extends StreamDefinition> {
  /** The records of one stream, checked against its definition. @throws InvalidRecord, StreamAccessDenied */
  read<S extends Readable>(stream: S, key: string, options?: ReadStreamOptions): Promise<RecordOf<S>[]>;
  /** The records of one stream as they stand, for who has an answer to those that cannot be read. @throws StreamAccessDenied */
  readUnchecked(stream: Readable, key: string, options?: ReadStreamOptions): Promise<RecordedEvent[]>;
  /** The last record of one stream. */
  last<S extends Readable>(stream: S, key: string): Promise<RecordOf<S> | undefined>;
}

/** What a handler may do while it handles one record: only what it declared. */
export interface HandlerContext<
  Readable extends StreamDefinition,
  Writable extends StreamDefinition,
> extends StreamReader<Readable> {
  /** The flow of the record being handled. */
  readonly correlationId: string;
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Aborted when the consumer drains. */
  readonly signal: AbortSignal;
  /** For what a handler does that is no append. */
  readonly trace: Pick<WorkTrace, 'attempt' | 'did'>;
  /**
   * To be called right before what cannot be taken back: throws `LeaseLost` where another process may have taken over what
   * this one was doing. Undefined where this process is alone.
   */
  readonly checkLease: (() => void) | undefined;
  /**
   * An append whose event ids follow from the record being handled, the stream and the revision: handled again, the
   * same record makes the same append. `fresh` gives new ids instead, for claims, where two workers must not be
   * taken for one.
   * @throws StreamAccessDenied
   */
  write<S extends Writable>(
    stream: S,
    key: string,
    expected: KnownRevision,
    messages: readonly MessageOf<S>[],
    ids?: 'derived' | 'fresh',
  ): Append;
  /** Appends in order, stopping at the first that fails. @throws as EventStore.appendAll, and ViewSwitched */
  append(...appends: readonly Append[]): Promise<readonly AppendResult[]>;
}

/** What a handler may do of its own accord, while it handles no record. */
export interface StandingContext<
  Readable extends StreamDefinition,
  Writable extends StreamDefinition,
> extends StreamReader<Readable> {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Aborted when the consumer drains. */
  readonly signal: AbortSignal;
  /** True while an operator has paused the consumer: nothing is begun then. */
  isPaused(): boolean;
  /** As handling that record: what is written follows from it. */
  contextOf(record: RecordedEvent): HandlerContext<Readable, Writable>;
  /** An append that no record has caused, with new ids. @throws StreamAccessDenied */
  write<S extends Writable>(stream: S, key: string, expected: KnownRevision, messages: readonly MessageOf<S>[]): Append;
  /** Appends in order, stopping at the first that fails. @throws as EventStore.appendAll */
  append(...appends: readonly Append[]): Promise<readonly AppendResult[]>;
  /** How much of a stream is kept: only for one that nobody else reads. @throws StreamAccessDenied */
  keep(stream: Writable, key: string, metadata: StreamMetadata): Promise<void>;
  /** Stops the consumer, which hands out nothing more until the process is started again. */
  fail(error: unknown): void;
}

/** What a client may do: as a handler, but it is the first cause itself. */
export interface ClientContext<
  Readable extends StreamDefinition,
  Writable extends StreamDefinition,
> extends StreamReader<Readable> {
  append<S extends Writable>(
    stream: S,
    key: string,
    expected: KnownRevision,
    messages: readonly MessageOf<S>[],
    options: ClientAppendOptions,
  ): Promise<AppendResult>;
  /**
   * Appends to as many streams of a category, all new; answers in their order. When it fails, any of them may stand, and
   * none is under way any more. @throws as EventStore.appendAll
   */
  appendNew<S extends Writable>(stream: S, appends: readonly NewStream<S>[]): Promise<readonly AppendResult[]>;
}

export interface ClientAppendOptions {
  readonly correlationId: string;
  /** The events' ids; new ones by default. */
  readonly ids?: readonly string[];
  /** Beside the correlation id, e.g. traceparent. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What a stream begins with. */
export interface NewStream<Stream extends StreamDefinition> {
  readonly key: string;
  readonly messages: readonly MessageOf<Stream>[];
  readonly options: ClientAppendOptions;
}

/** Who asks: the part of a handler's declaration that says what it may touch. */
export interface Grant {
  readonly name: string;
  readonly reads: readonly StreamDefinition[];
  readonly looksUp: readonly StreamDefinition[];
  readonly writes: readonly StreamDefinition[];
}

/** The store as one handler may use it. */
export class StreamAccess {
  private readonly readable: ReadonlySet<string>;
  private readonly writable: ReadonlySet<string>;
  private readonly writesViews: boolean;

  /** @param views which version of a view is meant; without it, no view may be touched */
  constructor(
    private readonly store: EventStore,
    private readonly grant: Grant,
    private readonly views: ViewNames = noViews,
  ) {
    this.readable = new Set([...grant.reads, ...grant.looksUp].map((stream) => stream.category));
    this.writable = new Set(grant.writes.map((stream) => stream.category));
    this.writesViews = grant.writes.some(isVersioned);
  }

  /** The stream that is meant now. @throws StoreUnavailable while it is not known which version of a view serves */
  nameOf(stream: StreamDefinition, key: string): string {
    return streamName(stream, key, isVersioned(stream) ? this.views.versionOf(stream) : undefined);
  }

  async read<S extends StreamDefinition>(stream: S, key: string, options?: ReadStreamOptions): Promise<RecordOf<S>[]> {
    const records = await this.readUnchecked(stream, key, options);
    return records.map((record) => parse<S>(stream, record));
  }

  async readUnchecked(stream: StreamDefinition, key: string, options?: ReadStreamOptions): Promise<RecordedEvent[]> {
    this.mayRead(stream.category);
    const name = this.nameOf(stream, key);
    try {
      const records: RecordedEvent[] = [];
      for await (const record of this.store.readStream(name, options)) records.push(record);
      return records;
    } catch (error) {
      if (!(error instanceof StreamDeleted) || !isVersioned(stream)) throw error;
      // The version was removed meanwhile: another one serves.
      return this.nameOf(stream, key) === name ? [] : this.readUnchecked(stream, key, options);
    }
  }

  async last<S extends StreamDefinition>(stream: S, key: string): Promise<RecordOf<S> | undefined> {
    const [record] = await this.read(stream, key, { direction: 'backwards', limit: 1 });
    return record;
  }

  async appendAll(appends: readonly Append[]): Promise<readonly AppendResult[]> {
    for (const append of appends) this.mayWrite(declaredCategoryOf(append.stream));
    return this.writesViews
      ? this.views.writing(appends, () => this.store.appendAll(appends))
      : this.store.appendAll(appends);
  }

  async keep(stream: StreamDefinition, key: string, metadata: StreamMetadata): Promise<void> {
    this.mayWrite(stream.category);
    await this.store.setStreamMetadata(this.nameOf(stream, key), metadata);
  }

  mayWrite(category: string): void {
    if (!this.writable.has(category)) throw new StreamAccessDenied(this.grant.name, 'write', category);
  }

  private mayRead(category: string): void {
    if (!this.readable.has(category)) throw new StreamAccessDenied(this.grant.name, 'read', category);
  }
}

/** The context of one record. */
export class RecordContext implements HandlerContext<StreamDefinition, StreamDefinition> {
  readonly checkLease: (() => void) | undefined;

  constructor(
    private readonly access: StreamAccess,
    private readonly cause: RecordedEvent,
    readonly correlationId: string,
    readonly signal: AbortSignal,
    readonly now: () => number,
    readonly trace: Omit<WorkTrace, 'handling'> = untraced,
    lease?: Lease,
  ) {
    this.checkLease = lease && (() => lease.check());
  }

  read<S extends StreamDefinition>(stream: S, key: string, options?: ReadStreamOptions): Promise<RecordOf<S>[]> {
    return this.access.read(stream, key, options);
  }

  readUnchecked(stream: StreamDefinition, key: string, options?: ReadStreamOptions): Promise<RecordedEvent[]> {
    return this.access.readUnchecked(stream, key, options);
  }

  last<S extends StreamDefinition>(stream: S, key: string): Promise<RecordOf<S> | undefined> {
    return this.access.last(stream, key);
  }

  write<S extends StreamDefinition>(
    stream: S,
    key: string,
    expected: KnownRevision,
    messages: readonly MessageOf<S>[],
    ids: 'derived' | 'fresh' = 'derived',
  ): Append {
    this.access.mayWrite(stream.category);
    const name = this.access.nameOf(stream, key);
    const first = expected === 'noStream' ? 0n : expected + 1n;
    const metadata = { $correlationId: this.correlationId, ...metadataAfter(this.cause) };
    return {
      stream: name,
      expected,
      events: (messages as readonly Message[]).map(({ type, data }, index) => {
        const id = ids === 'fresh' ? newId() : deriveId(this.cause.id, name, first + BigInt(index));
        return { id, type, data, metadata, checked: true };
      }),
    };
  }

  async append(...appends: readonly Append[]): Promise<readonly AppendResult[]> {
    const results = await this.access.appendAll(appends);
    this.trace.appended(appends);
    return results;
  }
}

export interface StandingParts {
  readonly access: StreamAccess;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly isPaused: () => boolean;
  readonly fail: (error: unknown) => void;
  readonly lease?: Lease | undefined;
}

/** The context of a handler as such. */
export function openStanding({
  access,
  signal,
  now,
  isPaused,
  fail,
  lease,
}: StandingParts): StandingContext<StreamDefinition, StreamDefinition> {
  return {
    read: (stream, key, options) => access.read(stream, key, options),
    readUnchecked: (stream, key, options) => access.readUnchecked(stream, key, options),
    last: (stream, key) => access.last(stream, key),
    now,
    signal,
    isPaused,
    contextOf: (record) => new RecordContext(access, record, correlationOf(record), signal, now, untraced, lease),
    write(stream, key, expected, messages) {
      access.mayWrite(stream.category);
      const events = (messages as readonly Message[]).map((message) => ({ id: newId(), ...message, checked: true }));
      return { stream: access.nameOf(stream, key), expected, events };
    },
    append: (...appends) => access.appendAll(appends),
    keep: (stream, key, metadata) => access.keep(stream, key, metadata),
    fail,
  };
}

/** The store as a client may use it. @param views which version of a view is meant; without it, no view may be touched */
export function openClient<Readable extends StreamDefinition, Writable extends StreamDefinition>(
  store: EventStore,
  client: Grant & { readonly looksUp: readonly Readable[]; readonly writes: readonly Writable[] },
  views: ViewNames = noViews,
): ClientContext<Readable, Writable> {
  const access = new StreamAccess(store, client, views);
  const appendOf = (
    stream: StreamDefinition,
    key: string,
    expected: KnownRevision,
    messages: readonly Message[],
    { correlationId, ids, metadata }: ClientAppendOptions,
  ): Append => {
    const events = messages.map(({ type, data }, index) => ({
      id: ids?.[index] ?? newId(),
      type,
      data,
      metadata: { $correlationId: correlationId, ...metadata },
      checked: true,
    }));
    return { stream: access.nameOf(stream, key), expected, events };
  };
  return {
    read: (stream, key, options) => access.read(stream, key, options),
    readUnchecked: (stream, key, options) => access.readUnchecked(stream, key, options),
    last: (stream, key) => access.last(stream, key),
    async append(stream, key, expected, messages, options) {
      const [result] = await access.appendAll([appendOf(stream, key, expected, messages, options)]);
      return result!;
    },
    appendNew(stream, appends) {
      const all = appends.map(({ key, messages, options }) => appendOf(stream, key, 'noStream', messages, options));
      return appendApart(store.capabilities, all, (some) => access.appendAll(some));
    },
  };
}
