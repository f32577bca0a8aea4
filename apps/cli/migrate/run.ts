import { migrate, type Verified } from '#libs/store/migration';
import { betweenPlaces, type Copied, type CopyRequest } from '../copy/between-places.js';
import { openPlace } from './places.js';
import { positionIn } from './position-in.js';

export interface MigrationRequest extends CopyRequest {
  readonly ca: string | undefined;
  readonly intoFilled: boolean;
}

/** @throws CommandFailed; what was copied until then stays, and another run goes on behind it */
export function runMigration(request: MigrationRequest, progress: (text: string) => void): Promise<Copied<Verified>> {
  const { ca, intoFilled } = request;
  return betweenPlaces(
    request,
    (option, text) => openPlace(option, text, ca),
    (source, target) =>
      migrate({
        source,
        target,
        positionIn,
        intoFilled,
        progress: (phase, done, total) => progress(`${phase}: ${percent(done, total)} %`),
      }),
  );
}

function percent(done: bigint, total: bigint): string {
  return total === 0n ? '100' : (Number((done * 1000n) / total) / 10).toFixed(1);
}
