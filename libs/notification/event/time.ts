const first = Date.parse('0000-01-01T00:00:00Z');
const last = Date.parse('9999-12-31T23:59:59.999Z');

/** A time, in milliseconds since the Unix epoch, as RFC 3339: that knows the years 0 to 9999 only, later is the last. */
export function rfc3339(time: number): string {
  return new Date(Math.min(Math.max(time, first), last)).toISOString();
}
