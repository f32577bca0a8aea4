import { createSecretKey, randomBytes } from 'node:crypto';
import { keyBytes, newKeyId } from './key-material.js';
import type { DataKey, KeyStore } from './key-store.js';

/** Keys that live as long as the process: for tests and for trying things out. */
export class MemoryKeyStore implements KeyStore {
  private readonly byOwner = new Map<string, DataKey>();
  private readonly byId = new Map<string, DataKey>();

  async keyFor(owner: string): Promise<DataKey> {
    let key = this.byOwner.get(owner);
    if (!key) {
      key = { id: newKeyId(), owner, key: createSecretKey(randomBytes(keyBytes)) };
      this.byOwner.set(owner, key);
      this.byId.set(key.id, key);
    }
    return key;
  }

  async find(keyId: string): Promise<DataKey | undefined> {
    return this.byId.get(keyId);
  }

  async idsOf(owner: string): Promise<readonly string[]> {
    const key = this.byOwner.get(owner);
    return key ? [key.id] : [];
  }

  async destroy(keyIds: readonly string[]): Promise<number> {
    const existed = this.byId.size;
    for (const id of keyIds) {
      const key = this.byId.get(id);
      if (key) this.byOwner.delete(key.owner);
      this.byId.delete(id);
    }
    return existed - this.byId.size;
  }

  async close(): Promise<void> {}
}
