import type { EventStore } from '#libs/store/port';
import { copyRecords } from './copy.js';
import { MigrationRefused } from './errors.js';
import { MetadataCopy } from './stream-metadata.js';
import { standingIn } from './standing.js';
import type { PositionIn } from './translation.js';
import { verifyRecords, type Verified } from './verify.js';

export interface MigrationOptions {
  /** Nobody else may write to it meanwhile. */
  readonly source: EventStore;
  readonly target: EventStore;
  /** Where records hold positions. */
  readonly positionIn: PositionIn;
  /** Copy into a target that holds other records. Default: refuse. */
  readonly intoFilled?: boolean;
  /** Told now and then: how far it is, as positions of the source. */
  readonly progress?: (phase: Phase, done: bigint, total: bigint) => void;
}

/** First what stands is looked at, then all is copied, then compared. */
export type Phase = 'copying' | 'verifying';

const tellEvery = 500n;

/**
 * Copies all streams with ids, order, metadata and times, then compares the two stores. Killed on the way and called
 * again, it goes on where it was.
 * @throws MigrationRefused where the target is not empty, or the copy is not like its source; StoreUnavailable
 */
export async function migrate(options: MigrationOptions): Promise<Verified> {
  const { source, target, positionIn, intoFilled = false, progress = () => undefined } = options;
  const head = await source.head();
  const standing = await standingIn(source, target, intoFilled);
  await copyRecords(source, target, standing, positionIn, (position) => progress('copying', position, head));
  const metadata = new MetadataCopy(source, target, standing.shifts);
  let told = 0n;
  const verified = await verifyRecords(source, target, standing, positionIn, (record) => {
    if (record.position >= told + tellEvery) {
      told = record.position;
      progress('verifying', told, head);
    }
    return metadata.of(record);
  });
  await metadata.done();
  if ((await source.head()) > head)
    throw new MigrationRefused('the source has grown meanwhile: stop what writes to it, and repeat this');
  return verified;
}
