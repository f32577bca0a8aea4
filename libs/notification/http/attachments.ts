import { createHash } from 'node:crypto';
import { BlobMissing, type SealedBlobs } from '#libs/blob';
import type { ContentAttachment } from '#libs/content';
import { invalid, type Problem } from '#libs/http';
import type { StreamReader } from '#libs/runtime';
import { findUpload, type FoundUpload, type uploadEvents } from '#libs/upload';
import type { Vault } from '#libs/vault';
import type { AttachmentDto, ContentDto } from './post-notification.dto.js';

export interface AttachmentServices {
  readonly client: StreamReader<typeof uploadEvents>;
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
}

/** What is attached: bytes, or an upload. */
export type AttachmentSource = Buffer | FoundUpload;

/**
 * What the attachments are made from, in order.
 * @param now milliseconds since the Unix epoch
 * @throws Problem 422 where a blob is not known, or not any more
 */
export async function findAttachments(
  { client, vault }: AttachmentServices,
  { attachments }: ContentDto,
  now: number,
): Promise<readonly AttachmentSource[]> {
  const sources = await Promise.all(
    (attachments ?? []).map(async ({ content, blobId }) =>
      blobId == null ? Buffer.from(content!, 'base64') : findUpload(client, vault, blobId, now),
    ),
  );
  const unknown = [...sources.keys()].filter((index) => sources[index] === undefined);
  if (unknown.length > 0) throw unknownBlobs(unknown);
  return sources as AttachmentSource[];
}

/**
 * Keeps what is attached under the owner's key, uploads as copies: whatever becomes of an upload, and of its other
 * copies, they stay, and go with the owner's key.
 * @param notificationId names the blobs
 * @throws KeyDestroyed – the owner's key, or that of an upload, has gone meanwhile –, Problem 422, StoreUnavailable
 */
export async function storeAttachments(
  { blobs }: AttachmentServices,
  owner: string,
  notificationId: string,
  dtos: readonly AttachmentDto[],
  sources: readonly AttachmentSource[],
): Promise<readonly ContentAttachment[]> {
  const attachments: ContentAttachment[] = [];
  for (const [index, { fileName, mediaType, contentId }] of dtos.entries()) {
    const source = sources[index]!;
    const { content, sha256 } =
      'blob' in source
        ? { content: blobs.stream(source.blob), sha256: source.sha256 }
        : { content: source, sha256: createHash('sha256').update(source).digest('hex') };
    try {
      const blob = await blobs.put(owner, `${notificationId}-attachment-${index}`, content);
      attachments.push({ fileName, mediaType, blob, sha256, ...(contentId && { contentId }) });
    } catch (error) {
      if (error instanceof BlobMissing) throw unknownBlobs([index]);
      throw error;
    }
  }
  return attachments;
}

function unknownBlobs(indexes: readonly number[]): Problem {
  return invalid(
    indexes.map((index) => ({
      path: `content.attachments[${index}].blobId`,
      message: 'is not the id of a blob: an upload is kept for 24 hours',
    })),
  );
}
