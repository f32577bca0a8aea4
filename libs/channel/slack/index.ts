export * from './event/slack-events.js';
export { payloadBlobId } from './handlers/attempt.js';
export * from './handlers/send-slack.bot.js';
export * from './operations/slack-operations.js';
export {
  SandboxSlackTransport,
  SlackFailure,
  type SlackFile,
  type SlackMessage,
  type SlackReceipt,
  type SlackTransport,
  WebApiSlackTransport,
  type WebApiSettings,
} from './transport/index.js';
export { SlackModule } from './slack.module.js';
export { slackClient } from './http/slack-client.js';
export { slackApi } from './http/openapi.js';
