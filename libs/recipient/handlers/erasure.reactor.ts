import type { SealedBlobs } from '#libs/blob';
import { defineReactor } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { recipientEvents } from '../event/recipient.js';

export interface ErasureServices {
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
}

/**
 * Makes what was sealed under the keys unreadable: the keys go first, then the blobs that only they could open. What
 * the same person gets afterwards is sealed under a new key and not touched, however often this is repeated.
 */
export async function destroyPersonalData(services: ErasureServices, keyIds: readonly string[]): Promise<void> {
  await services.vault.destroy(keyIds);
  for (const keyId of keyIds) await services.blobs.deleteAll(keyId);
}

/** Finishes an erasure whose request was killed between the event and the destruction. */
export const erasureReactor = defineReactor({
  name: 'recipient.erasure-reactor',
  reads: [recipientEvents],
  writes: [],
  create: (services: ErasureServices) => ({
    async handle(record, { trace }) {
      if (record.type !== 'recipient.erased.v1') return;
      await destroyPersonalData(services, record.data.keyIds);
      trace.did('erased');
    },
  }),
});
