export { reminderEvents } from './event/reminder.js';
export { remindBot } from './handlers/remind.bot.js';
export { reminderApi } from './http/openapi.js';
export { reminderClient } from './http/reminder-client.js';
export { reminderClientOperations } from './operations/client.js';
export { ReminderModule } from './reminder.module.js';
