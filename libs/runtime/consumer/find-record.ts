import type { RecordedEvent } from '#libs/kernel';
import { StreamDeleted, type EventStore } from '#libs/store/port';
import type { RecordRef } from '../streams.js';

/** Undefined where the stream was deleted, or truncated behind the record. @throws StoreUnavailable */
export async function findRecord(
  store: EventStore,
  { stream, revision, id }: RecordRef,
): Promise<RecordedEvent | undefined> {
  try {
    // In a copy of the store, a stream whose beginning was given up is numbered from 0.
    for (const options of [{ from: BigInt(revision), limit: 1 }, {}]) {
      for await (const record of store.readStream(stream, options)) if (record.id === id) return record;
    }
  } catch (error) {
    if (!(error instanceof StreamDeleted)) throw error;
  }
  return undefined;
}
