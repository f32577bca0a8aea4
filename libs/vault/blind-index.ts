import { createHmac } from 'node:crypto';
import type { DataKey } from './key-store.js';

const hashBytes = 16;

/**
 * Lets texts be found by whoever does not hold them: the same text always has the same hash, and without the key nobody
 * can tell which text a hash is of, not even by trying.
 */
export class BlindIndex {
  constructor(private readonly key: DataKey) {}

  /** Of the key. Hashes under another one are of no use. */
  get id(): string {
    return this.key.id;
  }

  /** 16 bytes: HMAC-SHA-256, cut. */
  hash(text: string): Buffer {
    return createHmac('sha256', this.key.key).update(text, 'utf8').digest().subarray(0, hashBytes);
  }
}
