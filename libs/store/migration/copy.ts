import type { RecordedEvent } from '#libs/kernel';
import { WrongExpectedRevision, type Append, type AppendResult, type EventStore } from '#libs/store/port';
import { MigrationRefused } from './errors.js';
import { pagesOf } from './pages.js';
import type { Standing } from './standing.js';
import { copyOf, positionNamedBy, translated, type PositionIn } from './translation.js';

const pageSize = 500;

/**
 * Appends every record of the source to the target, in order, from where the target stands. What is appended twice
 * because this was killed is recognised by the target: it has the same ids at the same revisions.
 */
export async function copyRecords(
  source: EventStore,
  target: EventStore,
  standing: Standing,
  positionIn: PositionIn,
  reached: (position: bigint) => void,
): Promise<void> {
  const last = standing.positions.last;
  const from = last === undefined ? {} : { from: last };
  for await (const page of pagesOf(source.readAll(from), pageSize)) {
    const records = page.filter(({ position }) => last === undefined || position > last);
    // A view may name a position of the same page: what comes before it has to be known by then.
    let rest = records;
    while (rest.length > 0) {
      const part = untilOwnPositionIsNamed(rest, positionIn);
      await copyPart(target, standing, positionIn, part);
      rest = rest.slice(part.length);
    }
    const end = page.at(-1)?.position;
    if (end !== undefined) reached(end);
  }
}

/** Records that can be appended together: after the first one, those that name no position among them. */
function untilOwnPositionIsNamed(records: readonly RecordedEvent[], positionIn: PositionIn): readonly RecordedEvent[] {
  const first = records[0]!.position;
  const next = records.findIndex((record, index) => index > 0 && (positionNamedBy(record, positionIn) ?? -1n) >= first);
  return next < 0 ? records : records.slice(0, next);
}

async function copyPart(
  target: EventStore,
  standing: Standing,
  positionIn: PositionIn,
  records: readonly RecordedEvent[],
): Promise<void> {
  const results = await appendAll(target, standing, positionIn, records);
  for (const [index, { revision, position }] of results.entries()) {
    const record = records[index]!;
    standing.positions.add(record.position, position ?? (await positionOf(target, record.stream, revision)));
  }
}

async function appendAll(
  target: EventStore,
  { positions, shifts }: Standing,
  positionIn: PositionIn,
  records: readonly RecordedEvent[],
): Promise<readonly AppendResult[]> {
  const events = records.map((record) => copyOf(record, translated(record, positionIn, positions)));
  for (;;) {
    const appends = records.map(({ stream, revision }, index): Append => {
      const place = revision - (shifts.get(stream) ?? 0n);
      return { stream, expected: place === 0n ? 'noStream' : place - 1n, events: [events[index]!] };
    });
    try {
      return await target.appendAll(appends);
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
      shifts.set(error.stream, shiftFor(error, appends, records));
    }
  }
}

/**
 * The beginning of a stream may have been given up, such as old checkpoints: what is left of it is numbered from where the
 * target is.
 */
function shiftFor(
  { stream, expected, actual }: WrongExpectedRevision,
  appends: readonly Append[],
  records: readonly RecordedEvent[],
): bigint {
  const next = actual === 'noStream' ? 0n : actual + 1n;
  const index = appends.findIndex((append) => append.stream === stream && append.expected === expected);
  const record = records[index];
  if (record === undefined || typeof expected !== 'bigint' || next > expected)
    throw new MigrationRefused(`the stream ${stream} of the target holds something else`);
  return record.revision - next;
}

async function positionOf(store: EventStore, stream: string, revision: bigint): Promise<bigint> {
  for await (const record of store.readStream(stream, { from: revision, limit: 1 })) return record.position;
  throw new MigrationRefused(`the target does not tell where ${stream} stands`);
}
