import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import anyMessages from 'google-protobuf/google/protobuf/any_pb.js';
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js';
import statusMessages from '@eventstore/db-client/generated/status_pb.js';
import streamsMessages from '@eventstore/db-client/generated/streams_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import {
  AppendTooLarge,
  StreamDeleted,
  WrongExpectedRevision,
  type AppendResult,
  type EventStore,
  type ExpectedRevision,
} from '#libs/store/port';
import { send, type Calls } from './calls.js';
import { CallFailed, failureOf, invalidArgument } from './errors.js';
import { allPosition, empty, streamIdentifier, streamOf, uuidMessage, uuidOf } from './messages.js';
import { expectedOf, Proposals } from './proposals.js';

type BatchCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;

/** Appends of one call that are not answered yet; no more are read until one is. */
const maxPending = 256;

/** An append whose events are still coming in. */
interface Incoming {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly proposals: Proposals;
}

/** Streams.BatchAppend: many appends in one call, each answered under its correlation id. */
export function batchAppendHandler(store: EventStore, calls: Calls, onError: (error: unknown) => void) {
  return (call: BatchCall): void => {
    void calls.serve('appends', call, (signal) => batchAppend(call, signal, store, onError));
  };
}

async function batchAppend(
  call: BatchCall,
  signal: AbortSignal,
  store: EventStore,
  onError: (error: unknown) => void,
): Promise<void> {
  const incoming = new Map<string, Incoming>();
  const pending = new Set<Promise<void>>();

  async function finish(correlationId: string, { stream, expected, proposals }: Incoming): Promise<void> {
    const response = new streamsMessages.BatchAppendResp()
      .setCorrelationId(uuidMessage(correlationId, 'string'))
      .setStreamIdentifier(streamIdentifier(stream));
    try {
      response.setSuccess(success(await proposals.append(store, expected)));
    } catch (error) {
      response.setError(errorStatus(error, onError));
    }
    await send(call, response, signal);
  }

  function take(request: BatchAppendReq): void {
    const correlationId = uuidOf(request.getCorrelationId());
    const append = incoming.get(correlationId) ?? begin(request);
    for (const message of request.getProposedMessagesList()) append.proposals.add(message);
    if (!request.getIsFinal()) {
      incoming.set(correlationId, append);
      if (incoming.size > maxPending) throw invalidArgument(`there are ${maxPending} appends begun and not finished`);
      return;
    }
    incoming.delete(correlationId);
    const finishing = finish(correlationId, append)
      // Nobody waits for an answer that cannot be sent: the call is over.
      .catch(() => undefined)
      .finally(() => pending.delete(finishing));
    pending.add(finishing);
    if (pending.size < maxPending) return;
    call.pause();
    void finishing.then(() => call.resume());
  }

  // Clients keep the call open for ever, so that it also ends with the signal.
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    call.on('end', resolve);
    call.on('error', reject);
    call.on('data', (request: BatchAppendReq) => {
      try {
        take(request);
      } catch (error) {
        reject(error);
      }
    });
  });
  await Promise.all(pending);
}

function begin(request: BatchAppendReq): Incoming {
  const options = request.getOptions();
  if (options === undefined) throw invalidArgument('the options are missing');
  const stream = streamOf(options.getStreamIdentifier());
  return {
    stream,
    expected: expectedOf(options, options.getStreamPosition()),
    proposals: new Proposals(stream),
  };
}

function success({ revision, position }: AppendResult): BatchAppendResp.Success {
  const message = new streamsMessages.BatchAppendResp.Success().setCurrentRevision(String(revision));
  return position === undefined ? message.setNoPosition(empty()) : message.setPosition(allPosition(position));
}

/** The error as a google.rpc.Status with EventStoreDB's own error packed in it. */
function errorStatus(error: unknown, onError: (error: unknown) => void): Status {
  const { code, details } = failureOf(error, onError);
  const packed = new anyMessages.Any();
  const [name, bytes] = detailsOf(error);
  packed.pack(bytes, `event_store.client.${name}`);
  return new statusMessages.Status()
    .setCode(code as number)
    .setMessage(details)
    .setDetails(packed);
}

function detailsOf(error: unknown): [string, Uint8Array] {
  if (error instanceof WrongExpectedRevision) return ['WrongExpectedVersion', wrongExpectedVersion(error)];
  if (error instanceof StreamDeleted) {
    const deleted = new sharedMessages.StreamDeleted().setStreamIdentifier(streamIdentifier(error.stream));
    return ['StreamDeleted', deleted.serializeBinary()];
  }
  if (error instanceof AppendTooLarge) {
    const exceeded = new sharedMessages.MaximumAppendSizeExceeded().setMaxappendsize(error.limit);
    return ['MaximumAppendSizeExceeded', exceeded.serializeBinary()];
  }
  if (error instanceof CallFailed && error.code === status.PERMISSION_DENIED) {
    return ['AccessDenied', new sharedMessages.AccessDenied().serializeBinary()];
  }
  if (error instanceof CallFailed && error.code === status.INVALID_ARGUMENT) {
    return ['BadRequest', new sharedMessages.BadRequest().setMessage(error.details).serializeBinary()];
  }
  return ['Unknown', new sharedMessages.Unknown().serializeBinary()];
}

function wrongExpectedVersion({ expected, actual }: WrongExpectedRevision): Uint8Array {
  const message = new sharedMessages.WrongExpectedVersion();
  if (actual === 'noStream') message.setCurrentNoStream(empty());
  else message.setCurrentStreamRevision(String(actual));
  if (expected === 'any') message.setExpectedAny(empty());
  else if (expected === 'noStream') message.setExpectedNoStream(empty());
  else if (expected === 'streamExists') message.setExpectedStreamExists(empty());
  else message.setExpectedStreamPosition(String(expected));
  return message.serializeBinary();
}
