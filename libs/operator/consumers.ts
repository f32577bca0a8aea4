import type { ConsumerStatus } from '#libs/runtime';

/** A consumer, of all processes that share the store. Times are RFC 3339. */
export interface ConsumerView {
  readonly name: string;
  readonly role: string;
  readonly state: ConsumerStatus['state'];
  /** Those of its flows that a process has; 0 alone, where they are not split. */
  readonly partitions: readonly number[];
  /** Every record up to here is done with: handled, to be retried, or parked. */
  readonly position: string;
  /** Positions between there and the end of the store: no fewer than the records that are left to do. */
  readonly lag: number;
  /** Since the processes started. */
  readonly handled: number;
  /** Taken in and not done yet. */
  readonly waiting: number;
  readonly retrying: number;
  readonly parked: number;
  readonly lastError: { readonly at: string; readonly error: string } | null;
  readonly pausedAt: string | null;
}

/** @param head position of the store's last record */
export function consumerView(status: ConsumerStatus, head: bigint): ConsumerView {
  const { name, role, state, partitions, position, handled, waiting, retrying, parked, lastError, pausedAt } = status;
  return {
    name,
    role,
    state,
    partitions,
    position: String(position),
    lag: state !== 'standby' && head > position ? Number(head - position) : 0,
    handled,
    waiting,
    retrying,
    parked,
    lastError: lastError === undefined ? null : { at: rfc3339(lastError.at), error: lastError.error },
    pausedAt: pausedAt === undefined ? null : rfc3339(pausedAt),
  };
}

/** @param milliseconds since the Unix epoch */
export function rfc3339(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
