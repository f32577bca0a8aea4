import type { StreamMetadata } from './event-store.js';

/** Metadata of a stream stands in the stream of this prefix and the stream's name. */
export const metadataPrefix = '$$';
export const metadataType = '$metadata';
export const tombstoneType = '$streamDeleted';

/** Of a tombstone; as the `truncateBefore` of a stream it says that it was deleted softly. */
export const maxRevision = 9_223_372_036_854_775_807n;

/** The data of a `$metadata` record. */
export function metadataData({ maxCount, maxAge, truncateBefore }: StreamMetadata): Readonly<Record<string, number>> {
  return {
    ...(maxCount === undefined ? {} : { $maxCount: maxCount }),
    ...(maxAge === undefined ? {} : { $maxAge: maxAge }),
    ...(truncateBefore === undefined ? {} : { $tb: Number(truncateBefore) }),
  };
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
