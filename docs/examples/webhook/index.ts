export * from './event/webhook-events.js';
export * from './handlers/post-to-webhook.bot.js';
export * from './operations/webhook-operations.js';
export * from './transport/webhook.js';
