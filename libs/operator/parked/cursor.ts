import { invalid } from '#libs/http';
import type { PageEnd } from './parked-records.js';

/** The cursor of the page that follows. */
export function cursorOf({ position, consumer }: PageEnd): string {
  return Buffer.from(`${position}/${consumer}`).toString('base64url');
}

/** @throws Problem 422 where this API has given no such cursor */
export function parseCursor(cursor: string): PageEnd {
  const [, position, consumer] =
    /^(\d{1,19})\/([\w.-]+)$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (position === undefined || consumer === undefined)
    throw invalid([{ path: 'cursor', message: 'must be the nextCursor of an answer' }]);
  return { position: BigInt(position), consumer };
}
