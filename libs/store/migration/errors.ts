import { TidingsError } from '#libs/kernel';

/** The copy cannot be begun, or is not what it ought to be; the source is as it was. */
export class MigrationRefused extends TidingsError {
  readonly code = 'migration-refused';
}
