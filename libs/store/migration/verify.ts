import { createHash } from 'node:crypto';
import type { RecordedEvent } from '#libs/kernel';
import { originOf, type EventStore } from '#libs/store/port';
import { MigrationRefused } from './errors.js';
import type { Standing } from './standing.js';
import { translated, withoutOrigin, type PositionIn } from './translation.js';

/** What two stores have in common. */
export interface Verified {
  readonly records: number;
  /** SHA-256, hexadecimal, over everything that was copied, of the source and of the target alike. */
  readonly sha256: string;
}

/**
 * Reads both stores from the start and compares them, record by record.
 * @throws MigrationRefused with the first difference
 */
export async function verifyRecords(
  source: EventStore,
  target: EventStore,
  { positions, shifts }: Standing,
  positionIn: PositionIn,
  /** Told of each record of the source that is equal to its copy. */
  equal: (record: RecordedEvent) => Promise<void> | void,
): Promise<Verified> {
  const hash = createHash('sha256');
  const end = positions.last ?? 0n;
  const copies = copiesIn(target);
  let records = 0;
  for await (const record of source.readAll()) {
    if (record.position > end) break;
    const shifted = { ...record, revision: record.revision - (shifts.get(record.stream) ?? 0n) };
    const wanted = textOf(shifted, translated(record, positionIn, positions));
    const { value: copy } = await copies.next();
    const found = copy === undefined ? 'nothing' : textOf(copy, copy.data);
    if (found !== wanted) throw new MigrationRefused(difference(record, copy));
    hash.update(wanted).update('\n');
    records += 1;
    await equal(record);
  }
  const { value: more } = await copies.next();
  if (more !== undefined) throw new MigrationRefused(`the target has ${more.stream} in addition`);
  return { records, sha256: hash.digest('hex') };
}

async function* copiesIn(target: EventStore): AsyncGenerator<RecordedEvent, undefined, undefined> {
  for await (const record of target.readAll()) if (originOf(record.metadata) !== undefined) yield record;
  return undefined;
}

function textOf({ stream, revision, id, type, created, metadata }: RecordedEvent, data: unknown): string {
  return JSON.stringify([stream, String(revision), id, type, created, data, withoutOrigin(metadata)]);
}

function difference({ stream, revision }: RecordedEvent, copy: RecordedEvent | undefined): string {
  const found = copy === undefined ? 'nothing' : `${copy.stream}@${copy.revision}`;
  return `the copy differs at ${stream}@${revision}: the target has ${found} there`;
}
