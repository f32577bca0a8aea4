export { EscalationFlow } from './escalation-flow.js';
export { NotificationFlow, type HandlerRun, type StoredRecord } from './notification-flow.js';
