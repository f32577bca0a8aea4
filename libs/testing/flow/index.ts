export { NotificationFlow, type HandlerRun, type StoredRecord } from './notification-flow.js';
