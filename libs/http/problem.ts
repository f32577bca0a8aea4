import { STATUS_CODES } from 'node:http';
import type { Scope } from '#libs/access';
import { InvalidRecord, Refused } from '#libs/kernel';
import { AppendTooLarge, StoreUnavailable, WrongExpectedRevision } from '#libs/store/port';
import type { FieldProblem } from '#libs/validation';

/** Every type of problem that the API answers with. The names are part of the contract: never rename one. */
export const problemTypes = {
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  unauthenticated: { status: 401, title: 'An API key is needed' },
  forbidden: { status: 403, title: 'The API key does not allow it' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  conflict: { status: 409, title: 'The state does not allow it' },
  'precondition-failed': { status: 412, title: 'It has changed since it was read' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'uri-too-long': { status: 414, title: 'The path is too long' },
  'unsupported-media-type': { status: 415, title: 'The body has to be JSON' },
  validation: { status: 422, title: 'The request is not valid' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'unreadable-record': { status: 500, title: 'A stored record cannot be read' },
  internal: { status: 500, title: 'Something went wrong here' },
  unavailable: { status: 503, title: 'Not available now' },
} as const;

export type ProblemType = keyof typeof problemTypes;

/** The media type of every error's body. */
export const problemMediaType = 'application/problem+json';

/** An error's body, as RFC 9457 has it. */
export interface ProblemDocument {
  /** `/problems/<name>`, or `about:blank` where the status says all there is to say. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** What is wrong with which field, where the type is `validation`. */
  readonly errors?: readonly FieldProblem[];
  readonly [member: string]: unknown;
}

interface ProblemOptions {
  readonly errors?: readonly FieldProblem[];
  /** More members of the body. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
}

/** An error that the client is told about as it is. */
export class Problem extends Error {
  readonly document: ProblemDocument;
  /** Seconds, for the `Retry-After` header. */
  readonly retryAfter: number | undefined;

  constructor(type: ProblemType, detail: string, { errors, members, retryAfter }: ProblemOptions = {}) {
    super(detail);
    this.name = 'Problem';
    this.document = { type: `/problems/${type}`, ...problemTypes[type], detail, ...members, ...(errors && { errors }) };
    this.retryAfter = retryAfter;
  }

  get status(): number {
    return this.document.status;
  }
}

/** 422: the fields are not as they have to be. */
export function invalid(errors: readonly FieldProblem[]): Problem {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const detail = first ? `${first.path === '' ? 'body' : first.path}: ${first.message}${more}` : 'not valid';
  return new Problem('validation', detail, { errors });
}

/** 400: the request itself is broken. */
export function malformedRequest(detail: string): Problem {
  return new Problem('malformed-request', detail);
}

/** 400: the body is not JSON. */
export function malformedJson(detail: string): Problem {
  return new Problem('malformed-json', detail);
}

/** 401. @param isGiven a key was sent, and it is none that is let in */
export function unauthenticated(isGiven: boolean): Problem {
  const detail = isGiven ? 'the API key is not known, or not any more' : 'send an API key: Authorization: Bearer <key>';
  return new Problem('unauthenticated', detail);
}

/** 403. @param scope the one that is missing */
export function forbidden(detail: string, scope?: Scope): Problem {
  return new Problem('forbidden', detail, scope === undefined ? {} : { members: { scope } });
}

export function notFound(detail: string): Problem {
  return new Problem('not-found', detail);
}

/** 409. `code` tells programs why. */
export function conflict(detail: string, code?: string): Problem {
  return new Problem('conflict', detail, code === undefined ? {} : { members: { code } });
}

export function preconditionFailed(detail: string): Problem {
  return new Problem('precondition-failed', detail);
}

export function payloadTooLarge(detail: string): Problem {
  return new Problem('payload-too-large', detail);
}

export function unsupportedMediaType(detail = 'send the body as application/json'): Problem {
  return new Problem('unsupported-media-type', detail);
}

/** 503, with `Retry-After` in seconds. */
export function unavailable(detail: string, retryAfter = 1): Problem {
  return new Problem('unavailable', detail, { retryAfter });
}

/** 500: tells nothing but the request's id, under which the cause is in the log. */
export function internal(requestId: string): Problem {
  return new Problem('internal', 'the cause is in the log, under the id of this request', { members: { requestId } });
}

/** 500: the answer would rest on a record that is damaged, or made by a newer version. Names it, and nothing that it holds. */
function unreadableRecord({ place, stream, revision }: InvalidRecord): Problem {
  const members = { stream, revision: Number(revision) };
  return new Problem('unreadable-record', `${place} cannot be read`, { members });
}

/** The body for a status that has no type of its own. */
export function blankProblem(status: number): ProblemDocument {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status };
}

/** The problem behind an error of the kernel or the store; undefined for any other error. */
export function problemOf(thrown: unknown): Problem | undefined {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof Refused) return conflict(thrown.message, thrown.code);
  if (thrown instanceof WrongExpectedRevision) return conflict('it was changed at the same time', thrown.code);
  if (thrown instanceof InvalidRecord) return unreadableRecord(thrown);
  if (thrown instanceof AppendTooLarge) return payloadTooLarge('this is more than can be stored at once');
  if (thrown instanceof StoreUnavailable)
    return unavailable('the store cannot be used now; whether it was done is not known');
  return undefined;
}
