import { StoreUnavailable } from '#libs/store/port';
import { pause } from './pause.js';

/** Longest pause before an unavailable store is asked again, in milliseconds. */
export const longestHold = 5_000;

/** The store is away, and may come back. */
export function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailable && !error.final;
}

/** What the task answers, tried again while the store is away; undefined where the signal is aborted before. */
export async function whenThere<Value>(task: () => Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestHold)) {
    try {
      return await task();
    } catch (error) {
      if (!isOutage(error)) throw error;
    }
    await pause(wait, signal);
  }
  return undefined;
}
