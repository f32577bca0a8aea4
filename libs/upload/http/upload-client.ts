import { defineClient, runtimeTimers } from '#libs/runtime';
import { uploadEvents } from '../event/upload.js';

/** Decides about uploads, as the API asks. */
export const uploadClient = defineClient({
  name: 'upload.http-client',
  looksUp: [uploadEvents],
  writes: [uploadEvents, runtimeTimers],
});
