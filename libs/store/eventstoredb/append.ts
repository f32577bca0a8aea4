import type { AppendResult as ClientResult, JSONEventData, JSONType } from '@eventstore/db-client';
import type { RecordedEvent } from '#libs/kernel';
import {
  AppendTooLarge,
  checkEvent,
  checkTarget,
  CorruptedIdempotency,
  maxAppendBytes,
  WrongExpectedRevision,
  type AppendResult,
  type ExpectedRevision,
  type NewEvent,
} from '#libs/store/port';
import type { Client } from './client.js';
import { writeError, type Write } from './errors.js';
import { readOnce } from './reads.js';
import { within, type Server } from './server.js';

/** How far back an append without a revision is looked for. */
const lookBack = 256;
/** Beyond the deadline that gRPC keeps, for what comes before the call, such as finding the leader. */
const grace = 1_000;

/** An append that was checked. */
export interface Checked extends Write {
  readonly events: readonly NewEvent[];
}

/** @throws TypeError, AppendTooLarge */
export function checkAppend(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Checked {
  checkTarget(stream, expected);
  if (events.length === 0) throw new TypeError(`${stream}: an append needs at least one event`);
  let bytes = 0;
  for (const event of events) {
    bytes += Buffer.byteLength(checkEvent(stream, event)) + 2 * event.type.length;
    if (event.metadata !== undefined) bytes += Buffer.byteLength(JSON.stringify(event.metadata));
  }
  if (bytes > maxAppendBytes) throw new AppendTooLarge(stream, bytes, maxAppendBytes);
  return { stream, expected, events, bytes };
}

/**
 * Appends, and appends again until there is an answer: the same ids at the same revision are written once.
 * @throws as the port's `append`
 */
export function append(server: Server, wanted: Checked): Promise<AppendResult> {
  return server.ask(async (client, again) => {
    if (again) return appendAgain(server, client, wanted);
    // One event cannot stand there in part.
    if (wanted.events.length === 1) return appendOnce(server, client, wanted);
    return appendOnce(server, client, wanted).catch((thrown: unknown) => explain(server, client, wanted, thrown));
  });
}

async function appendOnce({ tuning }: Server, client: Client, wanted: Checked): Promise<AppendResult> {
  const { stream, expected, events } = wanted;
  const appending = client.appendToStream(stream, events.map(clientEvent), {
    expectedRevision: clientRevision(expected),
  });
  try {
    const { nextExpectedRevision, position } = await within(appending, tuning.answerWithin + grace);
    return { revision: nextExpectedRevision, position: positionOf(position) };
  } catch (thrown) {
    throw writeError(thrown, wanted);
  }
}

/**
 * An append before this one was not answered, so it may stand there. At a given revision the server recognises it.
 * Without one it may not, so it is looked for, and repeated at the revision where it would come next: should the one
 * before be written after all, this one is refused.
 */
async function appendAgain(server: Server, client: Client, wanted: Checked): Promise<AppendResult> {
  const { stream, expected, events } = wanted;
  if (expected !== 'any' && expected !== 'streamExists') {
    return appendOnce(server, client, wanted).catch((thrown: unknown) => explain(server, client, wanted, thrown));
  }
  for (let known: ExpectedRevision = expected === 'any' ? 'noStream' : expected; ;) {
    const last = await readOnce(server, client, stream, 'backwards', undefined, lookBack + events.length);
    const found = placeOf(last.toReversed(), events);
    if (found !== undefined) return found;
    const at: ExpectedRevision = last[0]?.revision ?? known;
    try {
      return await appendOnce(server, client, { ...wanted, expected: at });
    } catch (thrown) {
      if (!(thrown instanceof WrongExpectedRevision) || at === 'streamExists') throw thrown;
      // Somebody else was quicker, or the one before has come: look again.
      known = thrown.actual;
    }
  }
}

/**
 * The server says of an append of which some events stand there already what it says of any conflict, so the stream is
 * looked at.
 */
async function explain(server: Server, client: Client, wanted: Checked, thrown: unknown): Promise<AppendResult> {
  const { stream, expected, events } = wanted;
  if (!(thrown instanceof WrongExpectedRevision) || thrown.actual === 'noStream') throw thrown;
  if (expected === 'any' || expected === 'streamExists') throw thrown;
  const from = expected === 'noStream' ? 0n : expected + 1n;
  if (from > thrown.actual) throw thrown;
  const there = await readOnce(server, client, stream, 'forwards', from, events.length);
  if (there[0]?.revision !== from || there[0].id !== events[0]!.id) throw thrown;
  const found = placeOf(there, events);
  if (found === undefined) throw new CorruptedIdempotency(stream);
  return found;
}

/** Where the events stand, one after the other, in what was read forwards. */
function placeOf(records: readonly RecordedEvent[], events: readonly NewEvent[]): AppendResult | undefined {
  const start = records.findLastIndex(
    (_, index) =>
      index + events.length <= records.length && events.every(({ id }, at) => records[index + at]!.id === id),
  );
  if (start < 0) return undefined;
  const { revision, position } = records[start + events.length - 1]!;
  return { revision, position };
}

export function clientRevision(expected: ExpectedRevision): bigint | 'any' | 'no_stream' | 'stream_exists' {
  if (expected === 'noStream') return 'no_stream';
  return expected === 'streamExists' ? 'stream_exists' : expected;
}

function clientEvent({ id, type, data, metadata }: NewEvent): JSONEventData {
  return { id, type, data: data as JSONType, metadata, contentType: 'application/json' };
}

function positionOf(position: ClientResult['position']): bigint | undefined {
  return position?.commit;
}
