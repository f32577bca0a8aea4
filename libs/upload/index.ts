export { findUpload, type FoundUpload } from './event/find-upload.js';
export { uploadEvents } from './event/upload.js';
export { uploadExpiryReactor, type UploadStorage } from './handlers/expiry.reactor.js';
export { uploadClient } from './http/upload-client.js';
export { UploadModule } from './upload.module.js';
export { uploadApi } from './http/openapi.js';
