import { defineClient } from '#libs/runtime';
import { reminderEvents } from '../event/reminder.js';
import { reminderClientOperations } from '../operations/client.js';

/** Asks for reminders and reads what became of them, as the API asks. */
export const reminderClient = defineClient({
  name: 'reminder.http-client',
  looksUp: [reminderClientOperations, reminderEvents],
  writes: [reminderClientOperations],
});
