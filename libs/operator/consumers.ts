import { notFound } from '#libs/http';
import type { Consumer, ConsumerStatus, Runtime } from '#libs/runtime';

/** A consumer of this process. Times are RFC 3339. */
export interface ConsumerView {
  readonly name: string;
  readonly role: string;
  readonly state: ConsumerStatus['state'];
  /** Those of its flows that this process has; 0 alone, where they are not split. */
  readonly partitions: readonly number[];
  /** Every record up to here is done with: handled, to be retried, or parked. */
  readonly position: string;
  /** Positions between there and the end of the store: no fewer than the records that are left to do. */
  readonly lag: number;
  /** Since the process started. */
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

/** @throws Problem 404 */
export function consumerCalled(name: string, runtime: Runtime<never>): Consumer {
  const consumer = runtime.consumer(name);
  if (consumer === undefined) throw notFound('this process has no such consumer');
  return consumer;
}

/** @param milliseconds since the Unix epoch */
export function rfc3339(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
