import type { RecordedEvent } from '#libs/kernel';
import { originOf, type EventStore } from '#libs/store/port';
import { MigrationRefused } from './errors.js';
import { Positions } from './positions.js';

/** What stands in the target. */
export interface Standing {
  readonly positions: Positions;
  /** By how much the revisions of a stream are lower than in the source, where they are. */
  readonly shifts: Map<string, bigint>;
}

/**
 * Reads what an earlier run has copied, so that this one goes on behind it.
 * @param intoFilled leave alone what was not copied; otherwise it is a reason to refuse
 * @throws MigrationRefused, StoreUnavailable
 */
export async function standingIn(source: EventStore, target: EventStore, intoFilled: boolean): Promise<Standing> {
  const standing: Standing = { positions: new Positions(), shifts: new Map() };
  let last: RecordedEvent | undefined;
  for await (const record of target.readAll()) {
    const origin = originOf(record.metadata);
    if (origin === undefined) {
      if (intoFilled) continue;
      throw new MigrationRefused(`the target is not empty: ${record.stream} stands in it`);
    }
    standing.positions.add(BigInt(origin.position), record.position);
    const shift = BigInt(origin.revision) - record.revision;
    if (shift !== 0n) standing.shifts.set(record.stream, shift);
    last = record;
  }
  if (last !== undefined && !(await isIn(source, last)))
    throw new MigrationRefused('the target is not empty: it holds what was copied from another store');
  return standing;
}

async function isIn(source: EventStore, { id, metadata }: RecordedEvent): Promise<boolean> {
  for await (const record of source.readAll({ from: BigInt(originOf(metadata)!.position), limit: 1 })) {
    return record.id === id;
  }
  return false;
}
