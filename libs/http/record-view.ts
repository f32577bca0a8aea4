import type { RecordedEvent } from '#libs/kernel';
import type { Vault } from '#libs/vault';

/** A record as auditors and operators see it: personal data opened, where its key still exists. */
export interface RecordView {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly occurredAt: string;
  readonly causationId: string | null;
  readonly data: unknown;
  readonly metadata: unknown;
  /**
   * Only of a record that cannot be read: why, one reason after the other. Its `data` is as it is stored, what is sealed
   * in it included.
   */
  readonly unreadable?: string;
}

/** @param unreadable why it cannot be read; undefined where it can */
export async function recordView(vault: Vault, stored: RecordedEvent, unreadable?: string): Promise<RecordView> {
  const { id, type, stream, revision, position, created, data, metadata } = stored;
  const view = {
    id,
    type,
    stream,
    revision: Number(revision),
    position: String(position),
    occurredAt: new Date(created).toISOString(),
    causationId: metadata.$causationId ?? null,
    data,
    metadata,
  };
  return unreadable === undefined ? { ...view, data: await vault.openDeep(data) } : { ...view, unreadable };
}
