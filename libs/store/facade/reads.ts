import { randomUUID } from 'node:crypto';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { RecordedEvent } from '#libs/kernel';
import type { ReadableStore } from '#libs/store/port';
import { send, type Calls } from './calls.js';
import { Checkpoints } from './checkpoints.js';
import { unavailable } from './errors.js';
import { linkTo } from './links.js';
import {
  caughtUpResponse,
  checkpointResponse,
  confirmationResponse,
  eventResponse,
  streamNotFoundResponse,
  wireRecord,
} from './messages.js';
import type { FacadeLimits } from './options.js';
import type { Pace } from './pace.js';
import { readRequestOf, type ReadRequest } from './read-request.js';
import { StreamSource } from './source.js';

type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** Streams.Read: reads and subscriptions. */
export function readHandler(
  store: ReadableStore,
  calls: Calls,
  limits: FacadeLimits,
  pace: Pace,
): (call: ReadCall) => void {
  return (call) => {
    const isSubscription = call.request.getOptions()?.hasSubscription() ?? false;
    void calls.serve(isSubscription ? 'subscriptions' : 'reads', call, async (signal) => {
      const request = readRequestOf(call.request, store, limits);
      await (isSubscription ? subscribe : read)(call, request, pace, signal);
    });
  };
}

async function read(call: ReadCall, request: ReadRequest, pace: Pace, signal: AbortSignal): Promise<void> {
  let found = false;
  if (request.limit > 0) {
    for await (const record of request.source.read(request, signal)) {
      found = true;
      await send(call, responseOf(record, request), signal);
      await pace.step();
    }
  }
  if (!found && request.stream !== undefined && !(await exists(request))) {
    await send(call, streamNotFoundResponse(request.stream), signal);
  }
}

/** Looking for links once more would cost as much as the read; one that goes on after a link knows that there are some. */
async function exists({ source, from }: ReadRequest): Promise<boolean> {
  return source instanceof StreamSource ? source.exists() : typeof from === 'bigint';
}

async function subscribe(call: ReadCall, request: ReadRequest, pace: Pace, signal: AbortSignal): Promise<void> {
  const { source, from, checkpointInterval } = request;
  const checkpoints =
    checkpointInterval === undefined
      ? undefined
      : new Checkpoints(checkpointInterval, (position) => send(call, checkpointResponse(position), signal));
  await send(call, confirmationResponse(randomUUID()), signal);
  let caughtUp = false;
  try {
    for await (const { events, checkpoint, live } of source.subscribe(from, signal)) {
      for (const record of events) {
        await send(call, responseOf(record, request), signal);
        if (!live) await pace.step();
      }
      await checkpoints?.reached(checkpoint);
      if (live && !caughtUp) await send(call, caughtUpResponse(), signal);
      caughtUp ||= live;
    }
    if (!signal.aborted) throw unavailable('the store was closed');
  } finally {
    checkpoints?.stop();
  }
}

function responseOf(record: RecordedEvent, { stream, linked, resolveLinks, uuids }: ReadRequest): ReadResp {
  const event = wireRecord(record);
  if (!linked) return eventResponse(event, undefined, uuids);
  const link = linkTo(event, stream!);
  return resolveLinks ? eventResponse(event, link, uuids) : eventResponse(link, undefined, uuids);
}
