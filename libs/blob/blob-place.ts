import { createHash } from 'node:crypto';

/**
 * Where the blobs of a key stand: `<first 2 hex digits>/<SHA-256 of the key id>`. It is the same in every store, so that blobs
 * can be copied from one to another. A hash, since key ids differ in case, which some file systems ignore.
 */
export function placeOf(keyId: string): readonly [start: string, hash: string] {
  const hash = createHash('sha256').update(keyId).digest('hex');
  return [hash.slice(0, 2), hash];
}
