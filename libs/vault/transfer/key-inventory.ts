/** A key that exists, as it is copied from one store to another. */
export interface KeptKey {
  readonly id: string;
  readonly owner: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What is left of a key: that it was destroyed. */
export interface DestroyedKey {
  readonly id: string;
  readonly key: null;
}

export type KeyEntry = KeptKey | DestroyedKey;

/** Everything in a key store, for copying it to another one. No process may use the store meanwhile. */
export interface KeyInventory {
  /** For people: without credentials. */
  readonly name: string;

  /** All entries, some hundreds at a time, in no order. */
  pages(): AsyncIterable<readonly KeyEntry[]>;

  /** What stands under these ids. */
  entriesOf(ids: readonly string[]): Promise<ReadonlyMap<string, KeyEntry>>;

  /** The keys that these owners have. */
  keysOf(owners: readonly string[]): Promise<readonly KeptKey[]>;

  /**
   * Adds the keys; durable when it resolves. What stands under an id already is left as it is, as is the key that an owner has
   * already.
   */
  add(keys: readonly KeptKey[]): Promise<void>;

  /** Destroys the keys of these ids, all or none; of those that there are none of, notes that they are destroyed. */
  destroy(ids: readonly string[]): Promise<void>;

  close(): Promise<void>;
}

export function isKept(entry: KeyEntry): entry is KeptKey {
  return entry.key !== null;
}

export function isSameKey(one: KeptKey, other: KeptKey): boolean {
  return one.id === other.id && one.owner === other.owner && Buffer.compare(one.key, other.key) === 0;
}
