import { InvalidRecord, TidingsError } from '#libs/kernel';
import { StoreUnavailable, WrongExpectedRevision } from '#libs/store/port';
import type { RetryPolicy } from '../topology/handler.js';
import { ViewSwitched } from '../view/view-names.js';

/** Thrown by a handler whose record is not done yet and knows when to look again. It is not a failure and never parks. */
export class RetryLater extends TidingsError {
  readonly code = 'retry-later';
  /** @param dueAt milliseconds since the Unix epoch */
  constructor(
    readonly dueAt: number,
    reason: string,
  ) {
    super(reason);
  }
}

export type Verdict =
  /** The store is away; it is nobody's fault: wait, then try again. */
  | { readonly action: 'hold' }
  /** Try again in the process after so many milliseconds. */
  | { readonly action: 'again'; readonly after: number }
  /** Into the durable retry stream. */
  | { readonly action: 'later'; readonly dueAt: number; readonly counts: boolean }
  | { readonly action: 'park' };

/**
 * What becomes of a record whose handler failed.
 * @param tries tries within the process so far, this one included
 * @param failed tries before, as the retry stream has them
 */
export function verdictOn(error: unknown, tries: number, failed: number, policy: RetryPolicy, now: number): Verdict {
  if (error instanceof StoreUnavailable) return { action: 'hold' };
  if (error instanceof RetryLater) return { action: 'later', dueAt: error.dueAt, counts: false };
  if (error instanceof InvalidRecord) return { action: 'park' };
  // Somebody else appended in between, or another version serves: a look at the new state settles it.
  const moved = error instanceof WrongExpectedRevision || error instanceof ViewSwitched;
  const immediate = moved ? [0, ...policy.immediate] : policy.immediate;
  const after = immediate[tries - 1];
  if (after !== undefined) return { action: 'again', after };
  const later = policy.later[failed];
  return later === undefined ? { action: 'park' } : { action: 'later', dueAt: now + later, counts: true };
}
