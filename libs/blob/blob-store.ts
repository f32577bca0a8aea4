import type { Readable } from 'node:stream';
import { TidingsError } from '#libs/kernel';

/** A blob's id is not 1 to 100 of `a-z`, `0-9` and `-`. */
export class InvalidBlobId extends TidingsError {
  readonly code = 'invalid-blob-id';
  constructor(id: string) {
    super(`not a blob id: ${JSON.stringify(id)}`);
  }
}

/** @throws InvalidBlobId */
export function checkBlobId(id: string): void {
  if (!/^[a-z0-9-]{1,100}$/.test(id)) throw new InvalidBlobId(id);
}

/**
 * Keeps what is too large for a stream. It gets sealed bytes only: `SealedBlobs` stands in front of it.
 * Blobs stand under the id of the key that they are sealed under, and are deleted together once it is destroyed.
 * Every method throws `InvalidBlobId` for an id that is none, and `StoreUnavailable` when the blobs cannot be reached, as does
 * reading the bytes.
 */
export interface BlobStore {
  /**
   * Stores the bytes under the key's and the blob's id, in place of what was there. Durable before it resolves; where
   * the bytes end in an error, nothing is stored, and that error is thrown.
   */
  put(keyId: string, id: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;

  /** The bytes, to be read or destroyed; undefined when there are none. */
  get(keyId: string, id: string): Promise<Readable | undefined>;

  /** True when there was something to delete. */
  delete(keyId: string, id: string): Promise<boolean>;

  /** Deletes all blobs of the key; answers how many that was. */
  deleteAll(keyId: string): Promise<number>;
}
