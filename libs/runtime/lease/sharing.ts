import type { Member } from './lease-book.js';
import type { Slot } from './slot.js';

/** How processes share a store. */
export interface SharingOptions {
  /** Id of this process: a new one each time it starts. */
  readonly member: string;
  /** Id of a process that is known to be dead, since this one has its place: its slots need not be waited for. */
  readonly predecessor?: string | undefined;
  /** Into how many partitions flows are split: the same in all processes. */
  readonly partitions: number;
  /** Leave a store that is split into another number as it is, and do not start. Default: split it anew. */
  readonly keepsPartitions?: boolean;
  /** How long a lease is good for without a sign of life, in milliseconds. */
  readonly ttl: number;
  /** How long an operator waits for other processes to do what he asks for, in milliseconds. Default 5,000. */
  readonly patience?: number;
  readonly log: LeaseLog;
}

/** What becomes of leases, for logs. */
export interface LeaseLog {
  /** `lost`: without this process having released them. */
  leases(change: 'taken' | 'released' | 'lost', slots: readonly Slot[]): void;
  failed(error: unknown): void;
}

/** Who has what, as this process knows it. */
export interface Sharing {
  readonly me: string;
  readonly partitions: number;
  /** Slots of this process. */
  readonly held: readonly Slot[];
  readonly members: readonly (Member & { readonly slots: readonly Slot[] })[];
}
