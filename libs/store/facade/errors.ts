import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { AppendTooLarge, StoreUnavailable, StreamDeleted, WrongExpectedRevision } from '#libs/store/port';
import type { ExpectedRevision } from '#libs/store/port';

/** A call that ends with this status. */
export class CallFailed extends Error implements StatusObject {
  constructor(
    readonly code: status,
    readonly details: string,
    readonly metadata = new Metadata(),
  ) {
    super(details);
  }
}

export function invalidArgument(details: string): CallFailed {
  return new CallFailed(status.INVALID_ARGUMENT, details);
}

export function unavailable(details: string): CallFailed {
  return new CallFailed(status.UNAVAILABLE, details);
}

/** EventStoreDB's own errors: clients go by the trailer `exception`, further trailers hold its fields. */
function exception(code: status, name: string, details: string, fields: Readonly<Record<string, string>> = {}) {
  const metadata = new Metadata();
  metadata.set('exception', name);
  for (const [key, value] of Object.entries(fields)) metadata.set(key, printable(value));
  return new CallFailed(code, details, metadata);
}

export function accessDenied(details: string): CallFailed {
  return exception(status.PERMISSION_DENIED, 'access-denied', details);
}

export function notLeader(host: string, port: number): CallFailed {
  return exception(status.NOT_FOUND, 'not-leader', `the leader is ${host}:${port}`, {
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  });
}

/** The status that a client is told. What is not expected is handed to `onError` and not told. */
export function failureOf(thrown: unknown, onError: (error: unknown) => void): CallFailed {
  if (thrown instanceof CallFailed) return thrown;
  if (thrown instanceof StreamDeleted) {
    return exception(status.FAILED_PRECONDITION, 'stream-deleted', thrown.message, { 'stream-name': thrown.stream });
  }
  if (thrown instanceof WrongExpectedRevision) {
    return exception(status.FAILED_PRECONDITION, 'wrong-expected-version', thrown.message, {
      'stream-name': thrown.stream,
      'expected-version': String(expectedNumber(thrown.expected)),
      ...(thrown.actual === 'noStream' ? {} : { 'actual-version': String(thrown.actual) }),
    });
  }
  if (thrown instanceof AppendTooLarge) {
    return exception(status.INVALID_ARGUMENT, 'maximum-append-size-exceeded', thrown.message, {
      'maximum-append-size': String(thrown.limit),
    });
  }
  onError(thrown);
  if (thrown instanceof StoreUnavailable) return unavailable('the store cannot be used now');
  return new CallFailed(status.INTERNAL, 'the call failed; the log of the server says why');
}

/** The numbers that EventStoreDB has for its words. */
function expectedNumber(expected: ExpectedRevision): bigint {
  if (expected === 'noStream') return -1n;
  if (expected === 'any') return -2n;
  if (expected === 'streamExists') return -4n;
  return expected;
}

/** Trailers hold visible ASCII only. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, encodeURIComponent);
}
