import { createHash } from 'node:crypto';
import type { SealedBlobs } from '#libs/blob';
import { TidingsError } from '#libs/kernel';
import { KeyDestroyed, type Sealed, type Vault } from '#libs/vault';
import type { Content, ContentAttachment } from './content.js';
import { Room } from './room.js';
import type { SealedContent } from './sealed-content.js';

/** Bytes of JSON up to which content stands in the records themselves; it is copied with each step of the flow. */
const inlineBytes = 16_384;
const label = 'content';
/** Bytes of attachments that are worked on at a time; composing a mail takes several times as much. */
const bytesAtATime = 33_554_432;

/** An attachment's bytes are not those that were accepted. */
export class AttachmentAltered extends TidingsError {
  readonly code = 'attachment-altered';
}

/** Seals and opens contents. */
export class Contents {
  private readonly room = new Room(bytesAtATime);

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

  /**
   * As `seal`, under the key that a text is sealed under; never makes a key.
   * @throws KeyDestroyed, SealBroken, StoreUnavailable
   */
  async sealWithKeyOf(like: Sealed, blobId: string, content: Content): Promise<SealedContent> {
    const json = JSON.stringify(content);
    if (Buffer.byteLength(json) <= inlineBytes) return { inline: await this.vault.sealWithKeyOf(like, label, json) };
    return { blob: await this.blobs.putWithKeyOf(like, blobId, Buffer.from(json)) };
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

  /**
   * Does work that holds attachments of the content in memory: all of them, or one. It waits where others hold too much.
   * @param attachment its index
   * @throws what aborted the signal, and what the work throws
   */
  async holding<Result>(
    content: SealedContent,
    signal: AbortSignal,
    work: () => Promise<Result>,
    attachment?: number,
  ): Promise<Result> {
    return this.room.hold(await this.bytesOf(content, attachment), signal, work);
  }

  /** The bytes of an attachment, whole. @throws AttachmentAltered, KeyDestroyed, SealBroken, StoreUnavailable */
  async readAttachment({ blob, sha256 }: ContentAttachment): Promise<Buffer> {
    const bytes = await this.blobs.get(blob);
    if (bytes === undefined) throw new KeyDestroyed(blob.keyId);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== sha256)
      throw new AttachmentAltered('an attachment is not what was accepted: its SHA-256 is another one');
    return bytes;
  }

  /** None where the content cannot be opened: then the work will fail and say why. */
  private async bytesOf(content: SealedContent, attachment: number | undefined): Promise<number> {
    try {
      const { attachments = [] } = await this.open(content);
      const held = attachment === undefined ? attachments : attachments.slice(attachment, attachment + 1);
      return held.reduce((bytes, { blob }) => bytes + blob.size, 0);
    } catch {
      return 0;
    }
  }
}
