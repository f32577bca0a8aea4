import { TidingsError } from '#libs/kernel';
import type { ExpectedRevision } from './event-store.js';

/** The stream is not where the writer expected it. Nothing was written. */
export class WrongExpectedRevision extends TidingsError {
  readonly code = 'wrong-expected-revision';
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
    /** The last revision of the stream, or `noStream`. */
    readonly actual: bigint | 'noStream',
  ) {
    super(`${stream}: expected revision ${expected}, actual revision ${actual}`);
  }
}

/** The first of the given ids stand already at the expected place, the others do not. Nothing was written. */
export class CorruptedIdempotency extends TidingsError {
  readonly code = 'corrupted-idempotency';
  constructor(readonly stream: string) {
    super(`${stream}: only some of the events were appended before under these ids`);
  }
}

/** The stream was tombstoned: it can neither be read nor appended to again. */
export class StreamDeleted extends TidingsError {
  readonly code = 'stream-deleted';
  constructor(readonly stream: string) {
    super(`${stream} is deleted for ever`);
  }
}

/** The events of one append are larger than `maxAppendBytes`. Nothing was written. */
export class AppendTooLarge extends TidingsError {
  readonly code = 'append-too-large';
  constructor(
    readonly stream: string,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(`${stream}: an append of ${bytes} bytes is over the limit of ${limit}`);
  }
}

/** The store cannot be used now: closed, disk full, server gone. The outcome of an append in flight is unknown. */
export class StoreUnavailable extends TidingsError {
  readonly code = 'store-unavailable';
  /** @param final true when it will not come back within this process: it was closed or its worker died */
  constructor(
    message: string,
    readonly final = false,
  ) {
    super(message);
  }
}

/** The store's files cannot be used as they are: in use by another process, made by a newer version, damaged. */
export class StoreUnusable extends TidingsError {
  readonly code = 'store-unusable';
}
