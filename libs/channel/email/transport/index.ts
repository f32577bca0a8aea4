export * from './email-message.js';
export {
  EmailFailure,
  type EmailReceipt,
  type EmailStage,
  type EmailTransport,
  type RejectedRecipient,
} from './email-transport.js';
export { SandboxTransport } from './sandbox-transport.js';
export type { SmtpSettings } from './smtp-settings.js';
export { SmtpTransport } from './smtp-transport.js';
