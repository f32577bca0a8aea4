import type { SealedBlobs } from '#libs/blob';
import { KeyDestroyed, type Vault } from '#libs/vault';
import type { Content } from './content.js';
import type { SealedContent } from './sealed-content.js';

/** Bytes of JSON up to which content stands in the records themselves; it is copied with each step of the flow. */
const inlineBytes = 16_384;
const label = 'content';

/** Seals and opens contents. */
export class Contents {
  constructor(
    private readonly vault: Vault,
    private readonly blobs: SealedBlobs,
  ) {}

  /**
   * @param owner whose key seals it
   * @param blobId of the blob, where it has to be one
   * @throws KeyDestroyed when the owner is erased at the same time; StoreUnavailable
   */
  async seal(owner: string, blobId: string, content: Content): Promise<SealedContent> {
    const json = JSON.stringify(content);
    if (Buffer.byteLength(json) <= inlineBytes) return { inline: await this.vault.sealFor(owner, label, json) };
    return { blob: await this.blobs.put(owner, blobId, Buffer.from(json)) };
  }

  /** @throws KeyDestroyed, SealBroken, StoreUnavailable */
  async open({ inline, blob }: SealedContent): Promise<Content> {
    if (inline !== undefined)
      return JSON.parse(this.vault.openNow(inline) ?? (await this.vault.open(inline))) as Content;
    const bytes = blob && (await this.blobs.get(blob));
    // Blobs of an erased recipient are deleted after the key.
    if (bytes === undefined) throw new KeyDestroyed(blob?.keyId ?? 'none');
    return JSON.parse(bytes.toString('utf8')) as Content;
  }
}
