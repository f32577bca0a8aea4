import { existsSync, realpathSync } from 'node:fs';
import { MigrationRefused } from '#libs/store/migration';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { TransferRefused } from '#libs/vault';
import { CommandFailed, exitCodes, usageError } from '../exit-codes.js';
import type { Opened } from './data-directory.js';

/** A data directory, a URL, or `env:` and the name of a variable. */
export interface CopyRequest {
  readonly from: string;
  readonly to: string;
}

export type Copied<Result> = Result & { readonly from: string; readonly to: string };

/**
 * Opens both places, and copies from the one to the other.
 * @throws CommandFailed; what was copied until then stays, and another run goes on behind it
 */
export async function betweenPlaces<Store, Result>(
  { from, to }: CopyRequest,
  open: (option: 'from' | 'to', text: string) => Promise<Opened<Store>>,
  copy: (source: Store, target: Store) => Promise<Result>,
): Promise<Copied<Result>> {
  try {
    const source = await open('from', from);
    try {
      const target = await open('to', to);
      try {
        return { from: source.name, to: target.name, ...(await copy(source.store, target.store)) };
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof TransferRefused || error instanceof MigrationRefused)
      throw new CommandFailed(exitCodes.refused, error.message);
    if (error instanceof StoreUnusable) throw new CommandFailed(exitCodes.filesUnusable, error.message);
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new CommandFailed(exitCodes.unreachable, `${error.message}; call this again to go on`);
  }
}

/** @throws CommandFailed where both places are the same */
export function refuseSame({ from, to }: CopyRequest): void {
  const isSame = from === to || (existsSync(from) && existsSync(to) && realpathSync(from) === realpathSync(to));
  if (isSame) throw usageError('--from and --to are the same');
}
