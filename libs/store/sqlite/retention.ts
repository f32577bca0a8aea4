import type Database from 'libsql';
import { maxRevision, type StreamMetadata } from '#libs/store/port';

/** What is in force for a stream; null where nothing is said. */
export interface Retention {
  readonly maxCount: number | null;
  readonly maxAge: number | null;
  readonly truncateBefore: bigint | null;
  readonly tombstoned: boolean;
}

export function isSoftDeleted(retention: Retention): boolean {
  return retention.truncateBefore === maxRevision;
}

/** The data of a `$metadata` record. The maximum is written out, since no JavaScript number is equal to it. */
export function metadataJson(metadata: StreamMetadata): string {
  const fields: string[] = [];
  if (metadata.maxCount !== undefined) fields.push(`"$maxCount":${metadata.maxCount}`);
  if (metadata.maxAge !== undefined) fields.push(`"$maxAge":${metadata.maxAge}`);
  if (metadata.truncateBefore !== undefined) fields.push(`"$tb":${metadata.truncateBefore}`);
  return `{${fields.join(',')}}`;
}

type RetentionRow = readonly [bigint | null, bigint | null, bigint | null, bigint];

/** The table of what is in force. */
export class Retentions {
  readonly #select: Database.Statement;
  readonly #replace: Database.Statement;

  constructor(database: Database.Database) {
    this.#select = database
      .prepare('SELECT max_count, max_age, truncate_before, tombstoned FROM retention WHERE category = ? AND key = ?')
      .raw();
    this.#select.safeIntegers(true);
    this.#replace = database.prepare(
      'INSERT OR REPLACE INTO retention (category, key, max_count, max_age, truncate_before, tombstoned) VALUES (?, ?, ?, ?, ?, ?)',
    );
  }

  get(category: number, key: string): Retention | undefined {
    const row = this.#select.get([category, key]) as RetentionRow | undefined;
    if (row === undefined) return undefined;
    return {
      maxCount: row[0] === null ? null : Number(row[0]),
      maxAge: row[1] === null ? null : Number(row[1]),
      truncateBefore: row[2],
      tombstoned: row[3] === 1n,
    };
  }

  set(category: number, key: string, metadata: StreamMetadata, tombstoned: boolean): void {
    this.#replace.run([
      category,
      key,
      metadata.maxCount ?? null,
      metadata.maxAge ?? null,
      metadata.truncateBefore ?? null,
      tombstoned ? 1 : 0,
    ]);
  }
}
