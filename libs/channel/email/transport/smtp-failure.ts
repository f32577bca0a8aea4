import type { NodemailerError } from 'nodemailer/lib/errors.js';
import { EmailFailure } from './email-transport.js';
import type { SmtpConversation } from './smtp-conversation.js';

/** Nobody but the operator can mend these. */
const untrustedCertificate =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/;

export type SmtpStage = 'connect' | 'authenticate' | 'send';

/** What nodemailer reports, in the terms of the table at `EmailFailure`. */
export function failureOf(
  thrown: unknown,
  stage: SmtpStage,
  conversation: SmtpConversation,
  signal?: AbortSignal,
): EmailFailure {
  const error = Object(thrown) as Partial<NodemailerError>;
  const code = error.responseCode;
  const enhancedCode = enhancedCodeOf(error.response);
  let message = error.message ?? String(thrown);
  if (signal?.aborted) message = `aborted: ${String(signal.reason)}`;
  else if (error.command === 'STARTTLS' && error.response)
    message = `the server refuses STARTTLS, and credentials are sent over TLS only: ${error.response}`;
  return new EmailFailure(conversation.redact(message), {
    stage,
    kind: isPermanent(error, code) ? 'permanent' : 'transient',
    code,
    enhancedCode,
    conversation: conversation.take(),
    doubtful: conversation.finalDotSent && !(code !== undefined && code >= 400),
  });
}

/** The enhanced status code (RFC 3463) of a reply. */
export function enhancedCodeOf(response: string | undefined): string | undefined {
  return /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1];
}

function isPermanent(error: Partial<NodemailerError>, code: number | undefined): boolean {
  if (code !== undefined) return code >= 500;
  if (untrustedCertificate.test(String(error.originalCode ?? error.code))) return true;
  // Decided by nodemailer itself: too large a mail, a login method that it does not know.
  return error.code === 'EMESSAGE' || error.code === 'EENVELOPE' || error.code === 'EAUTH';
}
