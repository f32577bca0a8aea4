import type { Readable } from 'node:stream';

/** Where a blob stands, in every store: see `placeOf`, and the blob's id. Of which key it is cannot be told from that. */
export type BlobPlace = readonly [start: string, hash: string, id: string];

/**
 * Everything in a blob store, for copying it to another one.
 * Every method throws `StoreUnavailable` when the blobs cannot be reached, as does reading the bytes.
 */
export interface BlobInventory {
  /** All blobs, in no order. */
  places(): AsyncGenerator<BlobPlace>;

  /** The bytes, to be read or destroyed; undefined when there are none. */
  read(place: BlobPlace): Promise<Readable | undefined>;

  /** Stores the bytes; durable before it resolves. Where they end in an error, nothing is stored. */
  write(place: BlobPlace, bytes: AsyncIterable<Uint8Array>): Promise<void>;
}

/** Undefined where it is no blob that stands there. */
export function blobPlaceOf(path: string): BlobPlace | undefined {
  const [, start, hash, id] = /^([\da-f]{2})\/(\1[\da-f]{62})\/([a-z0-9-]{1,100})$/.exec(path) ?? [];
  return id === undefined ? undefined : [start!, hash!, id];
}
