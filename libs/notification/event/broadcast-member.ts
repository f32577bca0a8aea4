import type { RecordedEvent } from '#libs/kernel';

/** The place of a notification within the broadcast that it belongs to. */
export interface BroadcastMember {
  readonly broadcastId: string;
  /** Which of the broadcast's members it tells, from 0. */
  readonly ordinal: number;
}

/** Metadata that says so; the runtime hands it on to every record that follows. */
export function metadataOfMember({ broadcastId, ordinal }: BroadcastMember): Readonly<Record<string, unknown>> {
  return { broadcastId, broadcastOrdinal: ordinal };
}

/** Undefined for a record of a notification that stands for itself. */
export function memberOf({ metadata }: RecordedEvent): BroadcastMember | undefined {
  const { broadcastId, broadcastOrdinal: ordinal } = metadata;
  return typeof broadcastId === 'string' && typeof ordinal === 'number' ? { broadcastId, ordinal } : undefined;
}
