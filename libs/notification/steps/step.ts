import type { Sealed } from '#libs/vault';

/** Why there is no payload, where a step knows better than that there is none. */
export type SpecificReason = 'unknownRecipient' | 'recipientErased' | 'recipientUnreadable';

/** What a resolving step answers. */
export interface StepAnswer<Payload> {
  /** Null, or an empty list: there is none. */
  readonly payload: Payload | null;
  /** What went wrong, for people; sealed, as it may name them. */
  readonly failures: readonly Sealed[];
  /** What to do with a payload that comes with failures. */
  readonly ifFailed: 'proceed' | 'stop';
  readonly reason?: SpecificReason;
  /** What the reason does not tell, without personal data. */
  readonly error?: string;
}

/** What follows from an answer. */
export type Verdict<Payload> =
  /** The failures are on record, and nothing more follows from them. */
  | { readonly use: true; readonly payload: Payload; readonly failures: readonly Sealed[] }
  | { readonly use: false; readonly why: 'couldNotGet' | 'couldNotUse'; readonly failures: readonly Sealed[] };

/**
 * The one table of all steps.
 *
 * | payload | failures | if failed | verdict                     |
 * |---------|----------|-----------|-----------------------------|
 * | none    | none     |           | could not get               |
 * | none    | some     |           | could not get, failures     |
 * | present | none     |           | use                         |
 * | present | some     | proceed   | use, failures on record     |
 * | present | some     | stop      | could not use, failures     |
 */
export function judge<Payload>({ payload, failures, ifFailed }: StepAnswer<Payload>): Verdict<Payload> {
  if (payload === null || (Array.isArray(payload) && payload.length === 0)) {
    return { use: false, why: 'couldNotGet', failures };
  }
  return failures.length > 0 && ifFailed === 'stop'
    ? { use: false, why: 'couldNotUse', failures }
    : { use: true, payload, failures };
}

/** An answer without failures. */
export function answer<Payload>(payload: Payload): StepAnswer<Payload> {
  return { payload, failures: [], ifFailed: 'stop' };
}
