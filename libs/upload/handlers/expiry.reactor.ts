import type { SealedBlobs } from '#libs/blob';
import { keyOf } from '#libs/kernel';
import { decideAndAppend, defineReactor, loadAggregate, runtimeTimers } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { upload, uploadEvents, uploadOwner } from '../event/upload.js';

export interface UploadStorage {
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
}

/** Purpose of the timer of every upload, under the upload's id as its correlation id. */
export const expiryPurpose = 'upload.expiry';

/** Key of an upload's timer. */
export function expiryTimerKey(id: string): string {
  return `${id}.upload-expiry`;
}

/** Deletes what an upload has stored, and its key. Does no harm when it is repeated. @throws StoreUnavailable */
export async function discardUpload({ vault, blobs }: UploadStorage, id: string): Promise<void> {
  const keyIds = await vault.keyIdsOf(uploadOwner(id));
  // The key leads to the blob: it goes last, so that what a crash cuts short is found when this is repeated.
  for (const keyId of keyIds) await blobs.deleteAll(keyId);
  await vault.destroy(keyIds);
}

/**
 * Removes uploads whose time is over, and finishes removals that were cut short. An upload's timer stands before anything
 * of it is stored, so that this also removes what a process that was killed has left.
 */
export const uploadExpiryReactor = defineReactor({
  name: 'upload.expiry-reactor',
  reads: [uploadEvents, runtimeTimers],
  writes: [uploadEvents],
  create: (storage: UploadStorage) => ({
    async handle(record, context) {
      if (record.type === 'upload.removed.v1') {
        await discardUpload(storage, keyOf(record.stream));
        context.trace.did('removed');
      } else if (record.type === 'runtime.timer-fired.v1' && record.data.purpose === expiryPurpose) {
        const id = context.correlationId;
        const loaded = await loadAggregate(context, uploadEvents, upload, id);
        await decideAndAppend(context, uploadEvents, upload, id, loaded, (state) =>
          upload.decide(state, { type: 'remove', reason: 'expired' }),
        );
        await discardUpload(storage, id);
      }
    },
  }),
});
