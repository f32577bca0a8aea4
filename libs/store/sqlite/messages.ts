import { deserializeFailure, type Failure } from './failure.js';

/** Expected revisions as numbers; revisions themselves are 0 and above. */
export const expectedNoStream = -1;
export const expectedAny = -2;
export const expectedStreamExists = -3;

/** How many of a stream's last events `any` and `streamExists` look at for ids they know. */
export const idempotenceWindow = 256;

/** What an entry of a batch asks for. */
export const actionAppend = 0;
export const actionDelete = 1;
export const actionTombstone = 2;

/** How the writer answers an entry. */
export const enum Status {
  Appended,
  Idempotent,
  WrongExpectedRevision,
  CorruptedIdempotency,
  StreamDeleted,
  /** An earlier entry of the same group failed. */
  Skipped,
}

/** Numbers that the writer answers for each entry: status, last revision (-1: no stream), last position. */
export const outcomeWidth = 3;

/**
 * A batch for the writer. Everything textual but the stream names is one string, so that a message costs the same
 * for one event and for a thousand; stream names are apart because the writer keeps some of them, and a slice
 * would keep the whole text in memory.
 */
export interface BatchRequest {
  readonly kind: 'batch';
  /** Milliseconds since the Unix epoch. */
  readonly created: number;
  readonly streams: readonly string[];
  readonly text: string;
  /** See `BatchWriter` and `BatchReader` in codec.ts. */
  readonly numbers: Float64Array;
}

/** One small transaction of a scavenge; `after` is where the one before stopped. */
export interface ScavengeRequest {
  readonly kind: 'scavenge';
  readonly after: ScavengeCursor;
  readonly now: number;
}

export interface ScavengeCursor {
  readonly category: number;
  readonly key: string;
}

interface CloseRequest {
  readonly kind: 'close';
}

export type WriterRequest = BatchRequest | ScavengeRequest | CloseRequest;

/** A record that the writer made itself: stream metadata, a tombstone. */
export interface OwnRecord {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly revision: bigint;
  readonly position: number;
  readonly data: string;
}

export interface BatchReply {
  readonly outcomes: Float64Array;
  readonly own: readonly OwnRecord[];
}

export interface ScavengeReply {
  readonly removed: number;
  /** Undefined when nothing is left to look at. */
  readonly next: ScavengeCursor | undefined;
}

/** What the thread that makes a copy is asked for. */
export interface CopyRequest {
  readonly directory: string;
  readonly target: string;
}

/** What a copy holds. */
export interface StoreCopy {
  /** Position of the last record; 0 where there is none. */
  readonly head: number;
  readonly records: number;
}

export interface ReadyReply {
  /** Position of the last record. */
  readonly head: number;
}

/** Bounds are inclusive revisions. */
export interface StreamPageRequest {
  readonly kind: 'stream';
  readonly stream: string;
  readonly from: number;
  readonly backwards: boolean;
  readonly limit: number;
  readonly now: number;
}

/** Bounds are inclusive positions; `from` is where reading starts, whatever the direction. */
export interface AllPageRequest {
  readonly kind: 'all';
  readonly from: number;
  readonly to: number;
  readonly backwards: boolean;
  readonly limit: number;
  readonly categories: readonly string[] | undefined;
  readonly streamPrefixes: readonly string[] | undefined;
  readonly types: readonly string[] | undefined;
}

export type PageRequest = StreamPageRequest | AllPageRequest;

export type ReaderRequest =
  { readonly kind: 'read'; readonly requests: readonly PageRequest[] } | { readonly kind: 'close' };

/** `[id, type, stream (null: the one asked for), revision, position, created, data, metadata]`; metadata: see codec.ts. */
export type PageRow = readonly [
  string,
  string,
  string | null,
  number,
  number,
  number,
  unknown,
  string | Readonly<Record<string, unknown>> | null,
];

/** A page as the reader answers it, within one JSON text for all pages of a message. */
export interface PageReply {
  readonly rows: readonly PageRow[];
  /** Length of the rows as JSON text. */
  readonly length: number;
  /** Reading went through up to here: a position, for a stream page a revision. */
  readonly scanned: number;
  /** For a stream page: nothing is left. */
  readonly end: boolean;
  readonly deleted?: true;
  readonly failure?: Failure;
}

/** What a worker answers a request with. */
export type Reply<Value> = { readonly value: Value } | { readonly failure: Failure };

export function valueOf<Value>(reply: Reply<Value>): Value {
  if ('failure' in reply) throw deserializeFailure(reply.failure);
  return reply.value;
}
