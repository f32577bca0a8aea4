const timeDigits = 12;
const idDigits = 32;

/** Hexadecimal digits of a place. */
export const placeDigits = timeDigits + idDigits;

/** Those of the place of an operation: that of its notification, then its id. */
export const operationPlaceDigits = placeDigits + idDigits;

/**
 * A notification's place in every list, as hexadecimal digits: when it was requested, then its id. Neither ever changes, so
 * a list can be read on from any place, whatever has been added since; and a span of time is a span of places.
 * @param requestedAt RFC 3339
 */
export function placeOf(requestedAt: string, id: string): string {
  return startOf(requestedAt) + digitsOf(id);
}

/** Not greater than any place of a notification that was requested then or later. */
export function startOf(time: string): string {
  return Math.max(0, Date.parse(time)).toString(16).padStart(timeDigits, '0');
}

/** The id of the notification at a place. */
export function idAt(place: string): string {
  return idOfDigits(place.slice(timeDigits, placeDigits));
}

export function digitsOf(id: string): string {
  return id.replaceAll('-', '');
}

export function idOfDigits(digits: string): string {
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}
