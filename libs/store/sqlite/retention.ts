import type Database from 'libsql';
import type { StreamMetadata } from '#libs/store/port';
import { maxRevision } from './schema.js';

/** Metadata of a stream stands in the stream of this prefix and the stream's name. */
export const metadataPrefix = '$$';
export const metadataType = '$metadata';
export const tombstoneType = '$streamDeleted';

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

/** The other way round; what is not a whole number above 0 counts as not said. */
export function metadataOf(data: unknown): StreamMetadata {
  const fields = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  const maxCount = fields['$maxCount'];
  const maxAge = fields['$maxAge'];
  const truncateBefore = fields['$tb'];
  return {
    ...(isCount(maxCount) ? { maxCount } : {}),
    ...(isCount(maxAge) ? { maxAge } : {}),
    ...(isCount(truncateBefore)
      ? { truncateBefore: Number.isSafeInteger(truncateBefore) ? BigInt(truncateBefore) : maxRevision }
      : {}),
  };
}

/** @throws TypeError */
export function checkMetadata(stream: string, { maxCount, maxAge, truncateBefore }: StreamMetadata): void {
  for (const [name, value] of Object.entries({ maxCount, maxAge })) {
    if (value !== undefined && !isCount(value))
      throw new TypeError(`${stream}: ${name} ${value} is not a whole number above 0`);
  }
  if (truncateBefore !== undefined && truncateBefore < 0n) {
    throw new TypeError(`${stream}: truncateBefore ${truncateBefore} is not a revision`);
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
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
