import { LRUCache } from 'lru-cache';
import type { DataKey, KeyStore } from './key-store.js';

/** A key store that remembers the keys used last, so that the hot path needs no waiting. */
export class KeyCache implements KeyStore {
  private readonly keys: LRUCache<string, DataKey>;
  /** By owner. An id may stay here after its key is forgotten: then it leads nowhere. */
  private readonly ids: LRUCache<string, string>;
  private destroyCalls = 0;

  /** @param size how many keys are remembered, at least 1 */
  constructor(
    private readonly store: KeyStore,
    size: number,
  ) {
    this.keys = new LRUCache({ max: size });
    this.ids = new LRUCache({ max: size });
  }

  /** The owner's key, if it is remembered. */
  peek(owner: string): DataKey | undefined {
    const id = this.ids.get(owner);
    return id === undefined ? undefined : this.keys.get(id);
  }

  /** The key of this id, if it is remembered. */
  peekById(keyId: string): DataKey | undefined {
    return this.keys.get(keyId);
  }

  async keyFor(owner: string): Promise<DataKey> {
    return this.peek(owner) ?? this.remember(this.store.keyFor(owner));
  }

  async find(keyId: string): Promise<DataKey | undefined> {
    return this.peekById(keyId) ?? this.remember(this.store.find(keyId));
  }

  idsOf(owner: string): Promise<readonly string[]> {
    return this.store.idsOf(owner);
  }

  async destroy(keyIds: readonly string[]): Promise<number> {
    this.destroyCalls += 1;
    for (const id of keyIds) this.keys.delete(id);
    return this.store.destroy(keyIds);
  }

  async close(): Promise<void> {
    this.keys.clear();
    this.ids.clear();
    await this.store.close();
  }

  /** A key that was on its way when a destroy was called may be one destroyed: it is handed on, not remembered. */
  private async remember<Found extends DataKey | undefined>(lookup: Promise<Found>): Promise<Found> {
    const destroyCallsBefore = this.destroyCalls;
    const key = await lookup;
    if (key && this.destroyCalls === destroyCallsBefore) {
      this.ids.set(key.owner, key.id);
      this.keys.set(key.id, key);
    }
    return key;
  }
}
