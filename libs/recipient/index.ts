export * from './event/preferences.js';
export * from './event/recipient.js';
export * from './handlers/erasure.reactor.js';
export { recipientClient } from './http/recipient-client.js';
export type { RecipientServices, RecipientView } from './http/recipients.js';
export { RecipientModule } from './recipient.module.js';
export { recipientApi } from './http/openapi.js';
