import { EmailFailure, type EmailTransport } from '#libs/channel/email';
import type { Tracing } from '#libs/tracing';
import type { SmtpServer } from '../settings/index.js';

/** The transport, with a span for what is said to the mail server. */
export function tracedEmail({ calls }: Tracing, transport: EmailTransport, server: SmtpServer): EmailTransport {
  return {
    sandbox: transport.sandbox,
    send: (message, signal) => calls.make('SMTP', server, () => transport.send(message, signal), attributesOf),
    close: () => transport.close(),
  };
}

/** Where it failed and by which code; the reply itself may repeat an address. */
function attributesOf(error: unknown) {
  if (!(error instanceof EmailFailure)) return { 'error.type': '_OTHER' };
  const { stage, code, enhancedCode } = error;
  return {
    'error.type': code === undefined ? stage : String(code),
    'tidings.smtp.stage': stage,
    ...(code !== undefined && { 'tidings.smtp.code': code }),
    ...(enhancedCode !== undefined && { 'tidings.smtp.enhanced_code': enhancedCode }),
  };
}
