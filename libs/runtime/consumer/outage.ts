import { StoreUnavailable } from '#libs/store/port';

/** Longest pause before an unavailable store is asked again, in milliseconds. */
export const longestHold = 5_000;

/** The store is away, and may come back. */
export function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailable && !error.final;
}
