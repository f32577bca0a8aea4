import { defineClient } from '#libs/runtime';
import { emailEvents } from '../event/email-events.js';

/** Reads what became of mails, as the API asks. */
export const emailClient = defineClient({ name: 'email.http-client', looksUp: [emailEvents], writes: [] });
