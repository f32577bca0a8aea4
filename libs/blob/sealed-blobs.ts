import { KeyDestroyed, type Sealed, type SealedBytes, type Vault } from '#libs/vault';
import { checkBlobId, type BlobStore } from './blob-store.js';

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
  async put(owner: string, id: string, content: Uint8Array): Promise<BlobRef> {
    checkBlobId(id);
    return this.keep(id, content.length, await this.vault.sealBytesFor(owner, labelOf(id), content));
  }

  /**
   * Stores the content under the key that a text is sealed under; never makes a key.
   * @throws InvalidBlobId, KeyDestroyed – nothing is kept –, SealBroken, StoreUnavailable
   */
  async putWithKeyOf(like: Sealed, id: string, content: Uint8Array): Promise<BlobRef> {
    checkBlobId(id);
    return this.keep(id, content.length, await this.vault.sealBytesWithKeyOf(like, labelOf(id), content));
  }

  /**
   * The content; undefined when the blob was deleted, by itself or after its key.
   * @throws KeyDestroyed, SealBroken, InvalidBlobId, StoreUnavailable
   */
  async get({ keyId, id }: BlobName): Promise<Buffer | undefined> {
    const bytes = await this.store.get(keyId, id);
    return bytes && this.vault.openBytes(labelOf(id), { keyId, bytes });
  }

  /** True when there was something to delete. @throws InvalidBlobId */
  delete({ keyId, id }: BlobName): Promise<boolean> {
    return this.store.delete(keyId, id);
  }

  /** Deletes all blobs of the key; answers how many that was. */
  deleteAll(keyId: string): Promise<number> {
    return this.store.deleteAll(keyId);
  }

  private async keep(id: string, size: number, { keyId, bytes }: SealedBytes): Promise<BlobRef> {
    await this.store.put(keyId, id, bytes);
    // An erasure in between may have looked for blobs before this one was there.
    if (!(await this.vault.hasKey(keyId))) {
      await this.store.delete(keyId, id);
      throw new KeyDestroyed(keyId);
    }
    return { keyId, id, size };
  }
}

function labelOf(id: string): string {
  return `blob-${id}`;
}
