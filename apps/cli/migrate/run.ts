import { migrate, MigrationRefused, type Verified } from '#libs/store/migration';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { CommandFailed, exitCodes } from '../exit-codes.js';
import { openPlace } from './places.js';
import { positionIn } from './position-in.js';

export interface MigrationRequest {
  readonly from: string;
  readonly to: string;
  readonly ca: string | undefined;
  readonly intoFilled: boolean;
}

export interface Migrated extends Verified {
  readonly from: string;
  readonly to: string;
}

/** @throws CommandFailed; what was copied until then stays, and another run goes on behind it */
export async function runMigration(request: MigrationRequest, progress: (text: string) => void): Promise<Migrated> {
  try {
    return await copy(request, progress);
  } catch (error) {
    if (error instanceof MigrationRefused) throw new CommandFailed(exitCodes.refused, error.message);
    if (error instanceof StoreUnusable) throw new CommandFailed(exitCodes.filesUnusable, error.message);
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new CommandFailed(exitCodes.unreachable, `${error.message}; call this again to go on`);
  }
}

async function copy(request: MigrationRequest, progress: (text: string) => void): Promise<Migrated> {
  const { from, to, ca, intoFilled } = request;
  const source = await openPlace('from', from, ca, true);
  try {
    const target = await openPlace('to', to, ca, false);
    try {
      const verified = await migrate({
        source: source.store,
        target: target.store,
        positionIn,
        intoFilled,
        progress: (phase, done, total) => progress(`${phase}: ${percent(done, total)} %`),
      });
      return { from: source.name, to: target.name, ...verified };
    } finally {
      await target.store.close();
    }
  } finally {
    await source.store.close();
  }
}

function percent(done: bigint, total: bigint): string {
  return total === 0n ? '100' : (Number((done * 1000n) / total) / 10).toFixed(1);
}
