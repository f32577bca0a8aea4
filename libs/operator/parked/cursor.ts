import { cursorOf, placeOf } from '#libs/http';
import type { PageEnd } from './parked-records.js';

/** The cursor of the page that follows. */
export function cursorAfter({ position, consumer }: PageEnd): string {
  return cursorOf(`${position}/${consumer}`);
}

/** @throws Problem 422 where this API has given no such cursor */
export function pageEndOf(cursor: string): PageEnd {
  return placeOf(cursor, (place) => {
    const [, position, consumer] = /^(\d{1,19})\/([\w.-]+)$/.exec(place) ?? [];
    return position === undefined || consumer === undefined ? undefined : { position: BigInt(position), consumer };
  });
}
