export { type BlobStore, InvalidBlobId } from './blob-store.js';
export { FolderBlobStore } from './folder-blob-store.js';
export { type BlobContent, BlobMissing, type BlobRef, SealedBlobs } from './sealed-blobs.js';
