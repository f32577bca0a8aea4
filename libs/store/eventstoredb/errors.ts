import { messageOf } from '#libs/kernel';
import {
  AppendTooLarge,
  StoreUnavailable,
  StreamDeleted,
  WrongExpectedRevision,
  type ExpectedRevision,
} from '#libs/store/port';

/** The parts of the client's errors that are looked at; raw errors of gRPC have a code and no type. */
interface ClientError extends Error {
  readonly type?: string;
  readonly code?: number;
  readonly actualVersion?: bigint | 'no_stream';
  readonly maxAppendSize?: number;
  readonly leader?: { readonly address: string; readonly port: number };
}

/** No answer, or one that says nothing about what was asked: it may or may not have been done. */
export class NoAnswer extends Error {
  constructor(
    message: string,
    /** The connection is of no use any more. */
    readonly broken: boolean,
    /** The server does not let this user in, or not do this: to ask again at once is of no use. */
    readonly denied = false,
  ) {
    super(message);
  }
}

/** Codes of gRPC for requests that would fail again in the same way. */
const invalidArgument = 3;
const unimplemented = 12;
/** Codes of gRPC for those who may not. */
const denied: readonly (number | undefined)[] = [7, 16];
/** What the client itself takes for a connection to be made anew. */
const broken: readonly (string | undefined)[] = ['unavailable', 'cancelled'];

/** An error with neither is a search for the cluster's leader that found nobody. */
function isBroken({ type, code }: ClientError): boolean {
  return broken.includes(type) || (type === undefined && code === undefined);
}

/** The texts of several versions, which have no code for it. To ask again would never help. */
const noSuchPosition = /invalid position|ReadAllResult\.Error|InvalidReadException/i;

export interface Write {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly bytes: number;
}

/** The port's error for what a write was answered; `NoAnswer` where it was not. */
export function writeError(thrown: unknown, { stream, expected, bytes }: Write): Error {
  const error = asClientError(thrown);
  switch (error.type) {
    case 'wrong-expected-version': {
      const { actualVersion } = error;
      return new WrongExpectedRevision(
        stream,
        expected,
        typeof actualVersion === 'bigint' && actualVersion >= 0n ? actualVersion : 'noStream',
      );
    }
    case 'maximum-append-size-exceeded':
      return new AppendTooLarge(stream, bytes, error.maxAppendSize ?? 0);
    default:
      return readError(error, stream);
  }
}

/** The port's error for what a read was answered; `NoAnswer` where it was not. */
export function readError(thrown: unknown, stream: string): Error {
  const error = asClientError(thrown);
  if (error instanceof StoreUnavailable || error instanceof NoAnswer) return error;
  if (error.type === 'stream-deleted') return new StreamDeleted(stream);
  if (noSuchPosition.test(error.message))
    return new RangeError(`there is no record at this position: ${error.message}`);
  if (error.type === 'invalid-argument' || error.code === invalidArgument || error.code === unimplemented) return error;
  return new NoAnswer(textOf(error), isBroken(error), error.type === 'access-denied' || denied.includes(error.code));
}

/** A server that is not the leader says no more than that it knows who is. */
function textOf({ message, leader }: ClientError): string {
  return leader === undefined ? message : `not the leader of its cluster, which is ${leader.address}:${leader.port}`;
}

export function isNotFound(thrown: unknown): boolean {
  return asClientError(thrown).type === 'stream-not-found';
}

function asClientError(thrown: unknown): ClientError {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}
