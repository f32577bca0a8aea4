import { RecordViews, type RecordView } from '#libs/http';
import type { RecordedEvent } from '#libs/kernel';
import { StreamDeleted, type EventStore } from '#libs/store/port';
import type { OperatorServices } from './operator-services.js';

/** The record that stands there; undefined where none does, or none any more. */
export async function findRecord(
  store: EventStore,
  stream: string,
  revision: bigint,
): Promise<RecordedEvent | undefined> {
  try {
    for await (const record of store.readStream(stream, { from: revision, limit: 1 })) {
      if (record.revision === revision) return record;
    }
  } catch (error) {
    if (!(error instanceof StreamDeleted)) throw error;
  }
  return undefined;
}

/** The record as operators see it, whether or not it can be read. */
export function viewOf({ topology, vault }: OperatorServices, record: RecordedEvent): Promise<RecordView> {
  return new RecordViews(vault, topology).of(record);
}
