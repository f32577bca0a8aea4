import { schemas, type ApiDescription } from '#libs/http';
import { named } from '#libs/validation';
import type { UploadView } from './uploads.js';

const { answer, locationHeader, objectOf, time, uuid } = schemas;

const upload = named(
  'Upload',
  objectOf<UploadView>({
    id: uuid,
    size: { type: 'integer', minimum: 1, description: 'In bytes.' },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    expiresAt: time,
  }),
);
const removed = objectOf<{ id: string; removed: true }>({ id: uuid, removed: { const: true } });

export const uploadApi: ApiDescription = {
  tag: 'Uploads',
  description: 'Files to be attached to notifications, by `blobId`. An upload is kept for 24 hours.',
  routes: {
    'POST /v1/blobs': {
      id: 'uploadBlob',
      summary: 'Upload a file',
      description: 'The body is stored as it comes, whatever its type.',
      body: { mediaType: '*/*' },
      answers: { 201: answer('It is stored.', upload, locationHeader) },
      problems: ['payload-too-large', 'validation'],
    },
    'GET /v1/blobs/{id}': {
      id: 'getBlob',
      summary: 'Read what is known of an upload',
      description: 'Without its content.',
      answers: { 200: answer('The upload.', upload) },
      problems: ['not-found', 'unreadable-record'],
    },
    'DELETE /v1/blobs/{id}': {
      id: 'removeBlob',
      summary: 'Remove an upload',
      description: 'Notifications keep the copies that they took. Repeated, it answers the same.',
      answers: { 200: answer('It cannot be read any more.', removed) },
      problems: ['not-found', 'unreadable-record'],
    },
  },
};
