import type { RecordedEvent } from '#libs/kernel';
import type { FailedTry } from '../streams.js';

/**
 * `failed`: its bookkeeping failed for good, or another process took over that should not; it hands out nothing more.
 * `standby`: other processes have all of its partitions.
 */
export type ConsumerState = 'stopped' | 'running' | 'paused' | 'failed' | 'standby';

export interface ConsumerStatus {
  readonly name: string;
  readonly role: string;
  readonly state: ConsumerState;
  /** Those that this process has: 0 alone, where flows are not split. */
  readonly partitions: readonly number[];
  /** Every record up to here is done with, in all of them. */
  readonly position: bigint;
  /** Since the process started. */
  readonly handled: number;
  /** Taken in and not done yet; a paused consumer holds them. */
  readonly waiting: number;
  readonly retrying: number;
  readonly parked: number;
  readonly lastError: FailedTry | undefined;
  /** Milliseconds since the Unix epoch; undefined while it is not paused. */
  readonly pausedAt: number | undefined;
}

/** What happens to consumers, for logs and metrics. */
export interface ConsumerLog {
  failed(consumer: string, record: RecordedEvent, error: unknown, action: string): void;
  stopped(consumer: string, error: unknown): void;
}
