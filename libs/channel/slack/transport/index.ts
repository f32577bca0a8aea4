export { SandboxSlackTransport } from './sandbox-transport.js';
export type * from './slack-message.js';
export {
  SlackFailure,
  type SlackCall,
  type SlackReceipt,
  type SlackStage,
  type SlackTransport,
} from './slack-transport.js';
export { WebApiSlackTransport, type WebApiSettings } from './web-api-transport.js';
