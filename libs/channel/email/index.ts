export * from './event/email-events.js';
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
export { emailClient } from './http/email-client.js';
export { emailApi } from './http/openapi.js';
