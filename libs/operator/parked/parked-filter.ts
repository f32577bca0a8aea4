import type { RecordParked } from '#libs/runtime';
import { parkedId } from './parked-item.js';

/** Which parked records: every condition given has to hold. */
export interface ParkedFilter {
  readonly ids?: readonly string[] | null | undefined;
  readonly consumer?: string | null | undefined;
  /** Stored type name. */
  readonly type?: string | null | undefined;
  readonly stream?: string | null | undefined;
  readonly correlationId?: string | null | undefined;
  /** Text that the error of the last try contains. */
  readonly error?: string | null | undefined;
}

export function matcherOf(filter: ParkedFilter): (consumer: string, parked: RecordParked) => boolean {
  const { ids, type, stream, correlationId, error } = filter;
  const wanted = ids == null ? undefined : new Set(ids);
  return (consumer, parked) =>
    (filter.consumer == null || consumer === filter.consumer) &&
    (type == null || parked.record.type === type) &&
    (stream == null || parked.record.stream === stream) &&
    (correlationId == null || parked.correlationId === correlationId) &&
    (error == null || parked.tries.at(-1)!.error.includes(error)) &&
    // Last, as it takes the longest.
    (wanted === undefined || wanted.has(parkedId(consumer, parked.record)));
}
