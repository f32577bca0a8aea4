export { EscalationFlow } from './escalation-flow.js';
export { tearable } from './torn-store.js';
export { NotificationFlow, type HandlerRun, type StoredRecord } from './notification-flow.js';
