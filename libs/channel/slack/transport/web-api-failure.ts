import { mostAnswerBytes } from '#libs/http';
import { authenticationCodes, doubtfulCodes, transientCodes } from './error-codes.js';
import { fieldsOf, Refusal } from './exchange.js';
import { SlackFailure } from './slack-transport.js';

/** Characters of an answer that are kept. */
const longestResponse = 20_000;

/** Nobody but the operator can mend these. */
const untrustedCertificate =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** Slack's own errors look like this; anything else may hold what must not stand in a stream in clear. */
const errorCode = /^[a-z]\w{0,99}$/i;

/** What a request was for. */
export interface Purpose {
  readonly stage: 'upload' | 'send';
  /** Takes the token out of a text. */
  redact(text: string): string;
}

/** What became of a request, in the terms of the table at `SlackFailure`. */
export function failureOf(error: unknown, purpose: Purpose): SlackFailure {
  return error instanceof Refusal ? refused(error, purpose) : unanswered(error, purpose);
}

function refused({ status, body, retryAfter }: Refusal, { stage, redact }: Purpose): SlackFailure {
  const { ok, error } = fieldsOf(body ?? '');
  const code = ok === false && typeof error === 'string' && errorCode.test(redact(error)) ? error : undefined;
  // 200 with neither yes nor no is no answer in Slack's protocol.
  const passes = status === 429 || status === 408 || status >= 500 || (status === 200 && ok !== false);
  const isDoubtful = code === undefined ? passes && ![429, 408, 503].includes(status) : doubtfulCodes.has(code);
  const what = body === undefined ? `more than ${mostAnswerBytes} bytes` : 'something unexpected';
  return new SlackFailure(`Slack answered ${code ?? what} (HTTP ${status})`, {
    stage: code !== undefined && authenticationCodes.has(code) ? 'authenticate' : stage,
    kind: passes || (code !== undefined && transientCodes.has(code)) ? 'transient' : 'permanent',
    code,
    httpStatus: status,
    response: body && redact(body).slice(0, longestResponse),
    retryAfter,
    doubtful: isDoubtful && stage === 'send',
  });
}

function unanswered(error: unknown, { stage, redact }: Purpose): SlackFailure {
  const reason = reasonOf(error);
  const isUntrusted = untrustedCertificate.test(String(reason.code));
  return new SlackFailure(redact(`no answer from Slack: ${reason.message ?? reason.code}`), {
    stage: 'connect',
    kind: isUntrusted ? 'permanent' : 'transient',
    doubtful: stage === 'send' && !isUntrusted && !happenedBeforeSending(reason),
  });
}

/** The innermost cause; of several addresses that were tried, the first one's. */
function reasonOf(error: unknown): Partial<NodeJS.ErrnoException> {
  const { cause, errors } = Object(error) as { readonly cause?: unknown; readonly errors?: readonly unknown[] };
  const inner = cause ?? errors?.[0];
  return inner === undefined ? (Object(error) as Partial<NodeJS.ErrnoException>) : reasonOf(inner);
}

function happenedBeforeSending({ code, syscall, message }: Partial<NodeJS.ErrnoException>): boolean {
  return (
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    // Node's only sign of a handshake that was broken off.
    message?.includes('before secure TLS connection was established') === true
  );
}
