import { TidingsError } from '#libs/kernel';
import { KeyDestroyed, type Sealed, type SealedBytes, type Vault } from '#libs/vault';
import { checkBlobId, type BlobStore } from './blob-store.js';

/** There is no such blob (any more). */
export class BlobMissing extends TidingsError {
  readonly code = 'blob-missing';
  constructor(id: string) {
    super(`there is no blob ${id}`);
  }
}

/**
 * What a record says of a blob. There is no hash of the content: it would outlive an erasure and confirm guesses.
 * The seal tells whether the bytes are the right ones.
 */
export interface BlobRef {
  /** Of the key that the blob is sealed under. */
  readonly keyId: string;
  /** 1 to 100 of `a-z`, `0-9` and `-`. */
  readonly id: string;
  /** Bytes of the content. */
  readonly size: number;
}

type BlobName = Pick<BlobRef, 'keyId' | 'id'>;

/** What is stored: bytes as a whole, or as they come. Where they end in an error, nothing is kept and it is thrown. */
export type BlobContent = Uint8Array | AsyncIterable<Uint8Array>;

/** Blobs stored by the key that they are sealed under, each with its id in the seal. */
export class SealedBlobs {
  constructor(
    private readonly vault: Vault,
    private readonly store: BlobStore,
  ) {}

  /**
   * Stores the content under the owner's key, made when there is none. To repeat it with the same id does no harm.
   * @throws InvalidBlobId, KeyDestroyed – the owner was erased meanwhile; nothing is kept –, StoreUnavailable
   */
  async put(owner: string, id: string, content: BlobContent): Promise<BlobRef> {
    checkBlobId(id);
    const counted = new Counted(content);
    return this.keep(id, counted, await this.vault.sealBytesFor(owner, labelOf(id), counted));
  }

  /**
   * Stores the content under the key that a text is sealed under; never makes a key.
   * @throws InvalidBlobId, KeyDestroyed – nothing is kept –, SealBroken, StoreUnavailable
   */
  async putWithKeyOf(like: Sealed, id: string, content: BlobContent): Promise<BlobRef> {
    checkBlobId(id);
    const counted = new Counted(content);
    return this.keep(id, counted, await this.vault.sealBytesWithKeyOf(like, labelOf(id), counted));
  }

  /**
   * The content, whole; undefined when the blob was deleted, by itself or after its key.
   * @throws KeyDestroyed, SealBroken, InvalidBlobId, StoreUnavailable
   */
  async get(name: BlobName): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of this.stream(name)) pieces.push(piece);
    } catch (error) {
      if (error instanceof BlobMissing) return undefined;
      throw error;
    }
    return Buffer.concat(pieces);
  }

  /**
   * The content, piece by piece; nothing is opened before the first is asked for. That it is complete is known only once
   * it has ended.
   * @throws BlobMissing, KeyDestroyed, SealBroken, InvalidBlobId, StoreUnavailable
   */
  async *stream({ keyId, id }: BlobName): AsyncGenerator<Buffer> {
    const bytes = await this.store.get(keyId, id);
    if (bytes === undefined) throw new BlobMissing(id);
    try {
      yield* await this.vault.openBytes(labelOf(id), { keyId, bytes });
    } finally {
      bytes.destroy();
    }
  }

  /** True when there was something to delete. @throws InvalidBlobId */
  delete({ keyId, id }: BlobName): Promise<boolean> {
    return this.store.delete(keyId, id);
  }

  /** Deletes all blobs of the key; answers how many that was. */
  deleteAll(keyId: string): Promise<number> {
    return this.store.deleteAll(keyId);
  }

  private async keep(id: string, content: Counted, { keyId, bytes }: SealedBytes): Promise<BlobRef> {
    await this.store.put(keyId, id, bytes);
    // An erasure in between may have looked for blobs before this one was there.
    if (!(await this.vault.hasKey(keyId))) {
      await this.store.delete(keyId, id);
      throw new KeyDestroyed(keyId);
    }
    return { keyId, id, size: content.size };
  }
}

/** Content that counts its bytes as they are read. */
class Counted implements AsyncIterable<Uint8Array> {
  size = 0;

  constructor(private readonly content: BlobContent) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.content instanceof Uint8Array ? [this.content] : this.content) {
      this.size += chunk.length;
      yield chunk;
    }
  }
}

function labelOf(id: string): string {
  return `blob-${id}`;
}
