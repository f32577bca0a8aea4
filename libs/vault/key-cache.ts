import { LRUCache } from 'lru-cache';
import type { DataKey, KeyStore, KeyWatch } from './key-store.js';

/**
 * A key store that remembers the keys used last, so that the hot path needs no waiting. Where other processes may destroy
 * keys, it forgets them as it hears of it, and uses nothing that it remembers while it might not hear of it.
 */
export class KeyCache implements KeyStore {
  private readonly keys: LRUCache<string, DataKey>;
  /** By owner. An id may stay here after its key is forgotten: then it leads nowhere. */
  private readonly ids: LRUCache<string, string>;
  /** Rises whenever keys are forgotten. */
  private forgotten = 0;
  private readonly others: KeyWatch | undefined;

  /** @param size how many keys are remembered, at least 1 */
  constructor(
    private readonly store: KeyStore,
    size: number,
  ) {
    this.keys = new LRUCache({ max: size });
    this.ids = new LRUCache({ max: size });
    this.others = store.watch?.((keyIds) => this.forget(keyIds));
  }

  /** The owner's key, if it is remembered. */
  peek(owner: string): DataKey | undefined {
    const id = this.ids.get(owner);
    return id === undefined ? undefined : this.peekById(id);
  }

  /** The key of this id, if it is remembered. */
  peekById(keyId: string): DataKey | undefined {
    return (this.others?.isCurrent() ?? true) ? this.keys.get(keyId) : undefined;
  }

  /** Whether the key exists at this moment, whatever is remembered. */
  async exists(keyId: string): Promise<boolean> {
    const found = this.others === undefined ? this.find(keyId) : this.store.find(keyId);
    return (await found) !== undefined;
  }

  /** Uses these keys no more without asking for them again. */
  forget(keyIds: readonly string[] | 'all'): void {
    this.forgotten += 1;
    if (keyIds === 'all') this.keys.clear();
    else for (const id of keyIds) this.keys.delete(id);
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
    this.forget(keyIds);
    return this.store.destroy(keyIds);
  }

  async close(): Promise<void> {
    this.keys.clear();
    this.ids.clear();
    await this.store.close();
  }

  /** A key that was on its way when keys were forgotten may be one of them: it is handed on, not remembered. */
  private async remember<Found extends DataKey | undefined>(lookup: Promise<Found>): Promise<Found> {
    const forgottenBefore = this.forgotten;
    const key = await lookup;
    if (key && this.forgotten === forgottenBefore) {
      this.ids.set(key.owner, key.id);
      this.keys.set(key.id, key);
    }
    return key;
  }
}
