import type { S3BlobOptions } from './s3/options.js';
import type { S3BlobStore } from './s3/s3-blob-store.js';

/**
 * Opens the blobs in a bucket. The client's code is loaded here, which installations with a blob folder never do.
 * @throws StoreUnusable when the service answers that the bucket cannot be used. One that does not answer is no hindrance.
 */
export async function openS3Blobs(options: S3BlobOptions): Promise<S3BlobStore> {
  const { S3BlobStore } = await import('./s3/s3-blob-store.js');
  return S3BlobStore.open(options);
}
