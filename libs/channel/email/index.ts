export * from './bounce/bounce-addresses.js';
export * from './bounce/bounce-intake.js';
export * from './bounce/bounce-listener.js';
export * from './event/email-events.js';
export type { MailRole } from './event/email-report.js';
export * from './handlers/send-email.bot.js';
export * from './operations/email-operations.js';
export {
  EmailFailure,
  type EmailMessage,
  type EmailReceipt,
  type EmailTransport,
  SandboxTransport,
  SmtpTransport,
  type SmtpSettings,
} from './transport/index.js';
export { EmailModule } from './email.module.js';
export { bounceClient } from './http/bounce-client.js';
export { emailClient } from './http/email-client.js';
export { emailApi } from './http/openapi.js';
