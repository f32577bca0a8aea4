import type { Metadata } from '#libs/kernel';

/** Metadata of a record that was copied from another store: what it was there. */
export interface MigratedFrom {
  /** Decimal strings. */
  readonly position: string;
  readonly revision: string;
  /** When it was recorded first, milliseconds since the Unix epoch. */
  readonly created: number;
}

/** Under this name it stands in the metadata. */
export const migratedFrom = 'migratedFrom';

/** Where a record was copied from; undefined where it was not. */
export function originOf(metadata: Metadata): MigratedFrom | undefined {
  return metadata[migratedFrom] as MigratedFrom | undefined;
}

/** When a record was recorded first: copying it to another store does not make it younger. */
export function createdOf(metadata: Metadata, recorded: number): number {
  return originOf(metadata)?.created ?? recorded;
}
