import type { SealedBlobs } from '#libs/blob';
import { defineReactor, runtimeTimers } from '#libs/runtime';
import { broadcastClientOperations } from '../operations/client.js';

export const retentionPurpose = 'broadcast.retention';

/** Key of the timer that removes a broadcast's blobs. */
export function retentionTimerKey(id: string): string {
  return `${id}.broadcast-retention`;
}

/** Removes what was attached to a broadcast, and content that is too large for a record, some time after its end. */
export const broadcastRetentionReactor = defineReactor({
  name: 'broadcast.retention-reactor',
  reads: [runtimeTimers],
  looksUp: [broadcastClientOperations],
  writes: [],
  create: ({ blobs }: { readonly blobs: SealedBlobs }) => ({
    async handle(record, context) {
      if (record.type !== 'runtime.timer-fired.v1' || record.data.purpose !== retentionPurpose) return;
      const [operation] = await context.read(broadcastClientOperations, context.correlationId);
      for (const blob of operation?.data.blobs ?? []) await blobs.delete(blob);
    },
  }),
});
