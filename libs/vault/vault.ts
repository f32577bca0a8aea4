import { BlindIndex } from './blind-index.js';
import { KeyDestroyed, SealBroken } from './errors.js';
import { replaceTexts, textsIn } from './json-texts.js';
import { KeyCache } from './key-cache.js';
import type { DataKey, KeyStore } from './key-store.js';
import { isSealed, keyIdOf, open, seal, type Sealed } from './sealer.js';
import { openSegments, sealSegments } from './segments.js';

/** What `openDeep` shows where the key was destroyed. */
export const erasedText = '[erased]';

/** What `openDeep` shows where the seal is broken. */
export const unreadableText = '[unreadable]';

export interface VaultOptions {
  /** How many keys are remembered, at least 1; default 10 000. */
  readonly cachedKeys?: number;
}

/** Sealed bytes, as they come, and the id of the key they are sealed under. */
export interface SealedBytes {
  readonly keyId: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Seals personal data under a key of its owner, opens it again, and destroys it by destroying the key. */
export class Vault {
  private readonly keys: KeyCache;

  constructor(keys: KeyStore, { cachedKeys = 10_000 }: VaultOptions = {}) {
    this.keys = new KeyCache(keys, cachedKeys);
  }

  /**
   * Seals a text (well-formed Unicode) for its owner, whose key is made when there is none.
   * @param owner `recipient/<id>`, …
   * @param label what it is: `address`, `content`, `name`, …; authenticated, and readable by everybody
   * @throws StoreUnavailable
   */
  async sealFor(owner: string, label: string, plaintext: string): Promise<Sealed> {
    return seal(await this.keys.keyFor(owner), label, plaintext);
  }

  /**
   * Seals a text under the key that another one is sealed under, so that whatever destroys the one destroys the other.
   * Never makes a key.
   * @throws KeyDestroyed, SealBroken – `like` is no sealed text –, StoreUnavailable
   */
  async sealWithKeyOf(like: Sealed, label: string, plaintext: string): Promise<Sealed> {
    return seal(await this.existing(keyIdOf(like)), label, plaintext);
  }

  /** As `sealFor`, at once; undefined when the owner's key is not remembered. */
  sealNow(owner: string, label: string, plaintext: string): Sealed | undefined {
    const key = this.keys.peek(owner);
    return key && seal(key, label, plaintext);
  }

  /** @throws KeyDestroyed, SealBroken, StoreUnavailable */
  async open(sealed: Sealed): Promise<string> {
    return open(await this.existing(keyIdOf(sealed)), sealed);
  }

  /** As `open`, at once; undefined when the key is not remembered. @throws SealBroken */
  openNow(sealed: Sealed): string | undefined {
    const key = this.keys.peekById(keyIdOf(sealed));
    return key && open(key, sealed);
  }

  /**
   * A JSON value to show to somebody who may see all of it: every sealed text in it opened, or `[erased]` where the key
   * is gone, or `[unreadable]` where the seal is broken. The value itself is not changed.
   * @throws StoreUnavailable
   */
  async openDeep<Value>(value: Value): Promise<Value> {
    const keys = new Map<string, DataKey | undefined>();
    for (const text of textsIn(value)) if (isSealed(text)) keys.set(keyIdOf(text), undefined);
    if (keys.size === 0) return value;
    await Promise.all([...keys.keys()].map(async (id) => keys.set(id, await this.keys.find(id))));
    return replaceTexts(value, (text) => (isSealed(text) ? shown(text, keys.get(keyIdOf(text))) : text)) as Value;
  }

  /** Seals bytes for their owner, as `sealFor` does a text; they are read as the sealed ones are. @throws StoreUnavailable */
  async sealBytesFor(owner: string, label: string, content: AsyncIterable<Uint8Array>): Promise<SealedBytes> {
    return bytesUnder(await this.keys.keyFor(owner), label, content);
  }

  /** Seals bytes as `sealWithKeyOf` does a text. @throws KeyDestroyed, SealBroken, StoreUnavailable */
  async sealBytesWithKeyOf(like: Sealed, label: string, content: AsyncIterable<Uint8Array>): Promise<SealedBytes> {
    return bytesUnder(await this.existing(keyIdOf(like)), label, content);
  }

  /**
   * Opens bytes as they come. Reading them throws `SealBroken`, also when they were sealed under another label or key;
   * that nothing is missing is known only at their end.
   * @throws KeyDestroyed, StoreUnavailable
   */
  async openBytes(label: string, { keyId, bytes }: SealedBytes): Promise<AsyncIterable<Buffer>> {
    return openSegments(await this.existing(keyId), label, bytes);
  }

  /**
   * Hashes by which texts are found. Its key is the installation's, made when there is none, and outlives every erasure.
   * @param name what is found by it
   * @throws StoreUnavailable
   */
  async blindIndex(name: string): Promise<BlindIndex> {
    return new BlindIndex(await this.keys.keyFor(`installation/${name}`));
  }

  /** False once the key is destroyed, by whichever process. @throws StoreUnavailable */
  hasKey(keyId: string): Promise<boolean> {
    return this.keys.exists(keyId);
  }

  /** These keys were destroyed, by another process: what is remembered of them is not used any more. */
  forget(keyIds: readonly string[]): void {
    this.keys.forget(keyIds);
  }

  /** The ids of the owner's keys that exist now: one or none. @throws StoreUnavailable */
  keyIdsOf(owner: string): Promise<readonly string[]> {
    return this.keys.idsOf(owner);
  }

  /**
   * Makes everything sealed under these keys unreadable; answers how many of them there were. May be repeated, also
   * late: a key made since then for the same owner has another id and stays.
   * @throws StoreUnavailable – then call it again
   */
  destroy(keyIds: readonly string[]): Promise<number> {
    return this.keys.destroy(keyIds);
  }

  /** Closes the key store, too. */
  close(): Promise<void> {
    return this.keys.close();
  }

  private async existing(keyId: string): Promise<DataKey> {
    const key = await this.keys.find(keyId);
    if (!key) throw new KeyDestroyed(keyId);
    return key;
  }
}

function bytesUnder(key: DataKey, label: string, content: AsyncIterable<Uint8Array>): SealedBytes {
  return { keyId: key.id, bytes: sealSegments(key, label, content) };
}

function shown(sealed: Sealed, key: DataKey | undefined): string {
  if (!key) return erasedText;
  try {
    return open(key, sealed);
  } catch (thrown) {
    if (thrown instanceof SealBroken) return unreadableText;
    throw thrown;
  }
}
