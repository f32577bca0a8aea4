import { deriveId } from '#libs/kernel';
import type { ArchivedRecord, RecordParked, RecordRef } from '#libs/runtime';
import { rfc3339 } from '../consumers.js';

/** A record that one consumer has given up. Times are RFC 3339. */
export interface ParkedItem {
  /** Of this record at this consumer: parked again, it has the same one. */
  readonly id: string;
  readonly consumer: string;
  readonly state: ParkedState;
  readonly record: Omit<RecordRef, 'revision'> & { readonly revision: number };
  readonly correlationId: string;
  readonly parkedAt: string;
  readonly archivedAt: string | null;
  /** The failed ones since it was appended or last redriven. */
  readonly tries: readonly { readonly at: string; readonly error: string }[];
}

export const parkedStates = ['parked', 'archived'] as const;
export type ParkedState = (typeof parkedStates)[number];

export function parkedId(consumer: string, { id, stream }: RecordRef): string {
  return deriveId(id, `${consumer}/${stream}`, 0);
}

export function parkedItem(consumer: string, parked: RecordParked | ArchivedRecord): ParkedItem {
  const { record, correlationId, tries } = parked;
  const archivedAt = 'archivedAt' in parked ? parked.archivedAt : undefined;
  return {
    id: parkedId(consumer, record),
    consumer,
    state: archivedAt === undefined ? 'parked' : 'archived',
    record: { ...record, revision: Number(record.revision) },
    correlationId,
    // A record is parked when its last try has failed.
    parkedAt: rfc3339(tries.at(-1)!.at),
    archivedAt: archivedAt === undefined ? null : rfc3339(archivedAt),
    tries: tries.map(({ at, error }) => ({ at: rfc3339(at), error })),
  };
}
