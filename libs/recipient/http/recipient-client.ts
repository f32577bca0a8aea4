import { defineClient } from '#libs/runtime';
import { recipientEvents } from '../event/recipient.js';

/** Decides about recipients, as the API asks. */
export const recipientClient = defineClient({
  name: 'recipient.http-client',
  looksUp: [recipientEvents],
  writes: [recipientEvents],
});
