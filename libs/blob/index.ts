export { type BlobStore, InvalidBlobId } from './blob-store.js';
export { copyBlobs, type BlobCopies } from './copy-blobs.js';
export { FolderBlobStore } from './folder-blob-store.js';
export { type BlobContent, BlobMissing, type BlobRef, SealedBlobs } from './sealed-blobs.js';
