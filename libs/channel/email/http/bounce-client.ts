import { defineClient } from '#libs/runtime';
import { emailEvents } from '../event/email-events.js';
import { emailOperations } from '../operations/email-operations.js';

/** Records what mail servers report of mails that they had taken. */
export const bounceClient = defineClient({
  name: 'email.bounce-client',
  looksUp: [emailOperations, emailEvents],
  writes: [emailEvents],
});
