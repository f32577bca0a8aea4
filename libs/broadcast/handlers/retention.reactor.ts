import type { SealedBlobs } from '#libs/blob';
import { defineReactor, runtimeTimers } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { broadcastOwner } from '../operations/client.js';

export interface BroadcastRetentionServices {
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
}

export const retentionPurpose = 'broadcast.retention';

/** Key of the timer that removes what stands under a broadcast's own key. */
export function retentionTimerKey(id: string): string {
  return `${id}.broadcast-retention`;
}

/** Removes what was attached to a broadcast, and makes what it said unreadable, some time after its end. */
export const broadcastRetentionReactor = defineReactor({
  name: 'broadcast.retention-reactor',
  reads: [runtimeTimers],
  writes: [],
  create: ({ vault, blobs }: BroadcastRetentionServices) => ({
    async handle(record, context) {
      if (record.type !== 'runtime.timer-fired.v1' || record.data.purpose !== retentionPurpose) return;
      const keyIds = await vault.keyIdsOf(broadcastOwner(context.correlationId));
      // The key leads to the blobs: it goes last, so that what a crash cuts short is found when this is repeated.
      for (const keyId of keyIds) await blobs.deleteAll(keyId);
      await vault.destroy(keyIds);
      context.trace.did('removed');
    },
  }),
});
