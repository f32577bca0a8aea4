import { loadAggregate, type StreamReader } from '#libs/runtime';
import type { StoredBlob } from '#libs/content';
import { KeyDestroyed, type Vault } from '#libs/vault';
import { isUuid } from '#libs/kernel';
import { upload, uploadEvents } from './upload.js';

/** An upload that can be used now. */
export interface FoundUpload {
  readonly blob: StoredBlob;
  /** In hex. */
  readonly sha256: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/**
 * The upload of this id; undefined when there is none, or none any more.
 * @param now milliseconds since the Unix epoch
 * @throws InvalidRecord, SealBroken, StoreUnavailable
 */
export async function findUpload(
  reader: StreamReader<typeof uploadEvents>,
  vault: Vault,
  id: string,
  now: number,
): Promise<FoundUpload | undefined> {
  if (!isUuid(id)) return undefined;
  const { state } = await loadAggregate(reader, uploadEvents, upload, id);
  if (state.status !== 'stored') return undefined;
  const { blob, sha256, expiresAt } = state.stored;
  if (Date.parse(expiresAt) <= now) return undefined;
  try {
    return { blob, sha256: await vault.open(sha256), expiresAt };
  } catch (error) {
    // It is being removed.
    if (error instanceof KeyDestroyed) return undefined;
    throw error;
  }
}
