import type { ConsumerStatus } from '../consumer/status.js';
import type { ArchivedRecord } from '../parking/parked-book.js';
import type { ReleaseHow } from '../parking/parked-request.js';
import type { RecordParked } from '../streams.js';

/** A record that a consumer has given up. */
export interface ParkedAt<Record extends RecordParked = RecordParked | ArchivedRecord> {
  readonly consumer: string;
  readonly parked: Record;
}

/** What became of a wish to redrive or archive records. One that somebody else released meanwhile is in neither. */
export interface Released {
  /** Durable. */
  readonly done: readonly ParkedAt[];
  /** Durably asked for: the process that has them has not done it yet, or there is none now. */
  readonly pending: readonly ParkedAt[];
}

/**
 * The consumers as operators see and steer them: of this process where it has the store alone, else of the whole
 * installation, whichever process is asked.
 */
export interface Oversight {
  /** Whether there is a consumer of that name. */
  knows(name: string): boolean;

  /** Of all that have anything to do. @throws StoreUnavailable */
  statuses(): Promise<readonly ConsumerStatus[]>;

  /**
   * Keeps a consumer from handing out records, or lets it go on, in all processes. Resolves with how it fares when that is
   * durable. @throws Refused where it has stopped, StoreUnavailable
   */
  turn(name: string, how: 'pause' | 'resume'): Promise<ConsumerStatus>;

  /** The records that are parked, and those that were given up for good. @throws StoreUnavailable */
  parked(): Promise<ParkedRecordsKnown>;

  /** @throws Refused where a consumer of theirs has stopped, StoreUnavailable */
  release(how: ReleaseHow, records: readonly ParkedAt[]): Promise<Released>;

  close(): Promise<void>;
}

export interface ParkedRecordsKnown {
  list(): readonly ParkedAt<RecordParked>[];
  listArchived(): readonly ParkedAt<ArchivedRecord>[];
  /** Parked records that are not listed, since there are so many. */
  readonly omitted: number;
}
