import type { StreamingRead } from '@eventstore/db-client';
import { categoryOf, type RecordedEvent } from '#libs/kernel';
import {
  matcherOf,
  type Direction,
  type EventFilter,
  type ReadAllOptions,
  type ReadStreamOptions,
} from '#libs/store/port';
import type { Client } from './client.js';
import { isNotFound, readError } from './errors.js';
import { lengthOf, recordOf } from './record.js';
import { within, type Server } from './server.js';

/** Records asked for at a time: few at first, so that a reader who stops early has not made the server send much. */
const firstPage = 32;
const largestPage = 1_000;
/** Characters of JSON that a page is to have. */
const wantedLength = 1_048_576;

/** How many records to ask for next. The last one stands for those to come. */
function nextPage(size: number, last: RecordedEvent): number {
  const fitting = Math.floor(wantedLength / Math.max(1, lengthOf(last)));
  return Math.max(1, Math.min(size * 4, fitting, largestPage));
}

/** The items of one read. The client's streams do not end when they are cancelled, so each item has its time. */
async function* itemsOf<Item>({ tuning }: Server, stream: StreamingRead<Item>): AsyncGenerator<Item, void, undefined> {
  // An error that comes after the reader has stopped would end the process.
  stream.on('error', () => undefined);
  const items = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await within(items.next(), tuning.answerWithin);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    stream.cancel().catch(() => undefined);
    stream.destroy();
  }
}

/** Up to `limit` records of a stream. @throws StreamDeleted, NoAnswer */
export async function readOnce(
  server: Server,
  client: Client,
  stream: string,
  direction: Direction,
  from: bigint | undefined,
  limit: number,
): Promise<RecordedEvent[]> {
  const records: RecordedEvent[] = [];
  const start = direction === 'backwards' ? ('end' as const) : ('start' as const);
  try {
    const read = client.readStream(stream, { direction, fromRevision: from ?? start, maxCount: limit });
    for await (const { event, commitPosition } of itemsOf(server, read)) {
      if (event !== undefined) records.push(recordOf(event, commitPosition));
    }
  } catch (thrown) {
    if (isNotFound(thrown)) return [];
    throw readError(thrown, stream);
  }
  return records;
}

/** A page of the whole store, from a position or from an end. */
interface Page {
  readonly records: readonly RecordedEvent[];
  /** Fewer than were asked for. */
  readonly last: boolean;
}

async function pageOfAll(
  server: Server,
  client: Client,
  direction: Direction,
  from: bigint | undefined,
  limit: number,
): Promise<Page> {
  const records: RecordedEvent[] = [];
  const start = direction === 'backwards' ? ('end' as const) : ('start' as const);
  const fromPosition = from === undefined ? start : { commit: from, prepare: from };
  let count = 0;
  try {
    const read = client.readAll({ direction, fromPosition, maxCount: limit });
    for await (const { event, commitPosition } of itemsOf(server, read)) {
      count += 1;
      if (event !== undefined) records.push(recordOf(event, commitPosition));
    }
  } catch (thrown) {
    throw readError(thrown, '$all');
  }
  return { records, last: count < limit };
}

/** Position of the last record, the server's own too; 0 when there is none. */
export async function headOf(server: Server): Promise<bigint> {
  return server.ask((client) => headAt(server, client));
}

/** The same, also of a server that has never answered. */
export async function firstHeadOf(server: Server): Promise<bigint> {
  return server.askFirst((client) => headAt(server, client));
}

async function headAt(server: Server, client: Client): Promise<bigint> {
  const { records } = await pageOfAll(server, client, 'backwards', undefined, 1);
  return records[0]?.position ?? 0n;
}

export async function* readStream(
  server: Server,
  stream: string,
  { direction = 'forwards', from, limit = Infinity }: ReadStreamOptions,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const backwards = direction === 'backwards';
  let next = from;
  for (let left = limit, size = firstPage; left > 0;) {
    const asked = Math.min(left, size);
    const records = await server.ask((client) => readOnce(server, client, stream, direction, next, asked));
    yield* records;
    const last = records.at(-1);
    if (last === undefined || records.length < asked || (backwards && last.revision === 0n)) return;
    left -= records.length;
    size = nextPage(size, last);
    next = last.revision + (backwards ? -1n : 1n);
  }
}

/** A condition without entries, which no record fulfils. */
export function matchesNothing({ categories, streamPrefixes, types }: EventFilter = {}): boolean {
  return [categories, streamPrefixes, types].some((entries) => entries?.length === 0);
}

/**
 * The filter is applied here. The server can do it for subscriptions only as far as the client goes, and those do not
 * say on every version when they have come to the end; what follows the store is subscribed, and filtered there.
 */
export async function* readAll(
  server: Server,
  { direction = 'forwards', from, limit = Infinity, filter }: ReadAllOptions,
): AsyncGenerator<RecordedEvent, void, undefined> {
  if (matchesNothing(filter)) return;
  const matches = matcherOf(filter);
  let left = limit;
  for await (const record of everything(server, direction, from)) {
    if (left <= 0) return;
    if (!matches(record, categoryOf(record.stream))) continue;
    yield record;
    left -= 1;
  }
}

async function* everything(
  server: Server,
  direction: Direction,
  from: bigint | undefined,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const backwards = direction === 'backwards';
  const page = (way: Direction, start: bigint | undefined, limit: number) =>
    server.ask((client) => pageOfAll(server, client, way, start, limit));
  let next = from !== undefined && from <= 0n ? undefined : from;
  if (backwards && from !== undefined) {
    if (next === undefined) return;
    // Backwards the server leaves out what is at the position itself.
    const [record] = (await page('forwards', next, 1)).records;
    if (record?.position === next) yield record;
  }
  /** Of the record handed out last, or what lies beyond the start. */
  let seen: bigint | undefined = backwards ? next : undefined;
  for (let size = firstPage; ;) {
    const { records, last } = await page(direction, next, size);
    for (const record of records) {
      if (seen !== undefined && (backwards ? record.position >= seen : record.position <= seen)) continue;
      seen = record.position;
      yield record;
    }
    const lastRecord = records.at(-1);
    if (last || lastRecord === undefined) return;
    // The first one of the next page is the last of this one.
    size = Math.max(2, nextPage(size, lastRecord));
    next = seen;
  }
}
