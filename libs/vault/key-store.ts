import type { KeyObject } from 'node:crypto';

/** The key that one owner's personal data is sealed under. */
export interface DataKey {
  /** Random, 1 to 64 characters of base64url; stands in everything sealed under the key and says nothing of the owner. */
  readonly id: string;
  /** Whose data it is: `recipient/<id>`, … */
  readonly owner: string;
  /** 256 bits. */
  readonly key: KeyObject;
}

/**
 * Owner of the key whose id tells a key store from all others: that of the index of addresses. Every version has made it when
 * a store was first used, and nothing destroys it, so backups from any time have it too.
 */
export const installationKeyOwner = 'installation/addresses';

/** Told that these keys are destroyed; or that keys may have been destroyed unheard, so that none is to be remembered. */
export type Forget = (keyIds: readonly string[] | 'all') => void;

/** What somebody who remembers keys has to ask before each use of one. */
export interface KeyWatch {
  /** True while it is certain that destructions are heard of in time: what is remembered may be used. */
  isCurrent(): boolean;
}

/**
 * Keeps the keys, apart from the streams: what is in the streams stays for ever, a key can be destroyed.
 * Calls take effect in the order in which they are made.
 *
 * Every method throws `StoreUnavailable` when the keys cannot be reached.
 */
export interface KeyStore {
  /** The owner's key, made when there is none; concurrent calls get the same. Durable before it resolves. */
  keyFor(owner: string): Promise<DataKey>;

  /** The key of this id; undefined once it is destroyed. */
  find(keyId: string): Promise<DataKey | undefined>;

  /** The ids of the owner's keys that exist now: one or none. Makes no key. */
  idsOf(owner: string): Promise<readonly string[]>;

  /**
   * Destroys the keys of these ids; answers how many of them there were. When it resolves, the store answers none of them
   * any more, to any process; when no byte of them is left in its files, each store says for itself. A later `keyFor`
   * makes the owner a new key with a new id, which a repeated call does not reach.
   */
  destroy(keyIds: readonly string[]): Promise<number>;

  /**
   * Tells of the keys that are destroyed from now on. Left out where this process alone has the store: then nobody else
   * destroys any.
   */
  watch?(forget: Forget): KeyWatch;

  /** Finishes what was asked before, then closes. */
  close(): Promise<void>;
}
