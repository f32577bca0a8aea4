export { type BlobStore, InvalidBlobId } from './blob-store.js';
export { copyBlobs, type BlobCopies } from './copy-blobs.js';
export { FolderBlobStore } from './folder-blob-store.js';
export { openS3Blobs } from './open-s3-blobs.js';
export { MalformedS3Url, nameOfS3, parseS3Url, type S3Location } from './s3/location.js';
export type { S3BlobOptions } from './s3/options.js';
export type { S3BlobStore } from './s3/s3-blob-store.js';
export { type BlobContent, BlobMissing, type BlobRef, SealedBlobs } from './sealed-blobs.js';
