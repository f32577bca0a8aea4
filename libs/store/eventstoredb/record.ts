import type { RecordedEvent as ClientRecord } from '@eventstore/db-client';
import type { Metadata, RecordedEvent } from '#libs/kernel';
import { createdOf } from '#libs/store/port';

/** The port's record. Data that is not JSON, of another program, is null. */
export function recordOf(event: ClientRecord, commitPosition: bigint | undefined): RecordedEvent {
  const { id, type, streamId, revision, position, created, data, isJson } = event;
  const metadata = isMetadata(event.metadata) ? event.metadata : {};
  return {
    id,
    type,
    stream: streamId,
    revision,
    position: position?.commit ?? commitPosition ?? 0n,
    created: createdOf(metadata, created.getTime()),
    data: isJson ? data : null,
    metadata,
    checked: false,
  };
}

function isMetadata(metadata: unknown): metadata is Metadata {
  return (
    typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) && !(metadata instanceof Uint8Array)
  );
}

/** Characters of JSON. */
export function lengthOf({ data, metadata }: RecordedEvent): number {
  return (JSON.stringify(data) ?? '').length + JSON.stringify(metadata).length;
}
