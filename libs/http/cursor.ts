import { invalid } from './problem.js';

/** The opaque cursor of a place in a list. */
export function cursorOf(place: string | number): string {
  return Buffer.from(String(place)).toString('base64url');
}

/**
 * The place that a cursor names.
 * @param read answers undefined for what is no place of this list
 * @throws Problem 422 where this API has given no such cursor
 */
export function placeOf<Place>(cursor: string, read: (place: string) => Place | undefined): Place {
  const place = read(Buffer.from(cursor, 'base64url').toString());
  if (place === undefined) throw invalid([{ path: 'cursor', message: 'must be the nextCursor of an answer' }]);
  return place;
}
