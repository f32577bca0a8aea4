import { migrate, type Verified } from '#libs/store/migration';
import { betweenPlaces, type Copied, type CopyRequest } from '../copy/between-places.js';
import { percent } from '../output/progress.js';
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
        progress: (phase, done, total) => progress(`${phase}: ${percent(Number(done), Number(total), 1)}`),
      }),
  );
}
