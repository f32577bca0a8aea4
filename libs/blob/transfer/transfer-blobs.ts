import { createHash } from 'node:crypto';
import { SetHash, TransferRefused } from '#libs/vault';
import type { BlobInventory, BlobPlace } from './blob-inventory.js';

/** How many blobs are copied at the same time. */
const concurrency = 4;

/** What the target has of the source when all is copied. */
export interface TransferredBlobs {
  readonly blobs: number;
  readonly bytes: number;
  /** Of the names and contents. */
  readonly sha256: string;
}

interface Content {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Copies all blobs to another store, and reads each there to compare it. Killed on the way and called again, it goes on where
 * it was: what the target has already is compared, not copied.
 * @param progress told how many blobs are done
 * @throws TransferRefused where the target has another blob in the place of one, which stays; StoreUnavailable
 */
export async function transferBlobs(
  source: BlobInventory,
  target: BlobInventory,
  progress: (blobs: number) => void = () => undefined,
): Promise<TransferredBlobs> {
  const total = { blobs: 0, bytes: 0 };
  const hash = new SetHash();
  const places = source.places();
  let failed = false;
  const work = async (): Promise<void> => {
    for (let next = await places.next(); !next.done && !failed; next = await places.next()) {
      const content = await copyOne(source, target, next.value);
      total.blobs += 1;
      total.bytes += content.bytes;
      hash.add(JSON.stringify([...next.value, content.sha256]));
      progress(total.blobs);
    }
  };
  const workers = Array.from({ length: concurrency }, () =>
    work().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return { ...total, sha256: hash.digest() };
}

async function copyOne(source: BlobInventory, target: BlobInventory, place: BlobPlace): Promise<Content> {
  const standing = await contentAt(target, place);
  const wanted = standing === undefined ? await copied(source, target, place) : await contentAt(source, place);
  if (wanted === undefined)
    throw new TransferRefused('the source was changed meanwhile: stop what uses it, and repeat this');
  const found = standing ?? (await contentAt(target, place));
  if (found?.sha256 === wanted.sha256 && found.bytes === wanted.bytes) return wanted;
  throw new TransferRefused(`the target has another blob as ${place.join('/')}: remove the one that is not wanted`);
}

/** Undefined where the source has none. */
async function copied(source: BlobInventory, target: BlobInventory, place: BlobPlace): Promise<Content | undefined> {
  const bytes = await source.read(place);
  if (bytes === undefined) return undefined;
  try {
    const counted = new Counted(bytes);
    await target.write(place, counted);
    return counted.content();
  } finally {
    bytes.destroy();
  }
}

async function contentAt(inventory: BlobInventory, place: BlobPlace): Promise<Content | undefined> {
  const bytes = await inventory.read(place);
  if (bytes === undefined) return undefined;
  const counted = new Counted(bytes);
  // Read to the end for its hash.
  for await (const chunk of counted) void chunk;
  return counted.content();
}

/** Bytes that are counted and hashed on their way. */
class Counted implements AsyncIterable<Uint8Array> {
  private bytes = 0;
  private readonly hash = createHash('sha256');

  constructor(private readonly source: AsyncIterable<Uint8Array>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.source) {
      this.bytes += chunk.length;
      this.hash.update(chunk);
      yield chunk;
    }
  }

  /** Of what has come. */
  content(): Content {
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }
}
