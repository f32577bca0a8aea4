import type { Decider, Message } from '#libs/kernel';

/** Before an effect: this attempt is about to be made. */
export interface EffectClaimed {
  /** From 1. */
  readonly attempt: number;
  /** True when the attempt before left no outcome: whether it had its effect is not known. */
  readonly afterDoubt: boolean;
}

/** After an attempt that failed and will be repeated. Times in milliseconds since the Unix epoch. */
export interface EffectAttemptFailed<Failure> {
  readonly attempt: number;
  readonly failure: Failure;
  readonly retryAt: number;
}

/** The effect took place. */
export interface EffectSucceeded<Receipt> {
  readonly attempt: number;
  readonly receipt: Receipt;
}

/**
 * Why an effect is given up: it was refused for good; it went on failing until its time was over; its time was over before
 * the first attempt; an attempt is in doubt and must not be repeated; the recipient's data was erased; somebody cancelled it.
 */
export const effectFailedReasons = [
  'permanent',
  'exhausted',
  'expired',
  'inDoubt',
  'recipientErased',
  'cancelled',
] as const;
export type EffectFailedReason = (typeof effectFailedReasons)[number];

export interface EffectFailed<Failure> {
  /** Attempts made. */
  readonly attempt: number;
  readonly reason: EffectFailedReason;
  readonly failure: Failure | null;
}

/** `atLeastOnce` repeats an attempt that is in doubt; `atMostOnce` gives it up and shows it. */
export type DeliveryPolicy = 'atLeastOnce' | 'atMostOnce';

/** The stored type names of an effect's events. */
export interface EffectTypes {
  readonly claimed: string;
  readonly attemptFailed: string;
  readonly succeeded: string;
  readonly failed: string;
}

export interface EffectState {
  /** Attempts claimed. */
  readonly attempts: number;
  /** The last claim has no outcome yet. */
  readonly claimed: boolean;
  /** No attempt before this time. */
  readonly retryAt: number;
  readonly settled: boolean;
  /** The effect is known to have taken place. */
  readonly succeeded: boolean;
}

interface Limits {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** No attempt after this time. */
  readonly notAfter: number;
  readonly delivery: DeliveryPolicy;
}

export type EffectCommand =
  | ({ readonly type: 'begin' } & Limits)
  /** No further attempt: one that is claimed runs to its end. */
  | { readonly type: 'cancel' }
  | { readonly type: 'succeed'; readonly attempt: number; readonly receipt: unknown }
  | ({
      readonly type: 'fail';
      readonly attempt: number;
      readonly kind: 'transient' | 'permanent' | 'recipientErased';
      /** The effect may have taken place all the same. */
      readonly doubtful: boolean;
      readonly failure: unknown;
      /** Waits between attempts, in milliseconds; the last one repeats. None: there is no second attempt. */
      readonly delays: readonly number[];
      /** The other side's wish: no attempt sooner than so many milliseconds from now, whatever the waits are. */
      readonly retryAfter?: number | undefined;
    } & Limits);

/**
 * Claim → effect → outcome, as an aggregate. At most one worker holds a claim, since claims are appended by expected
 * revision, and a cancel competes for the same one; a claim that is found without an outcome is in doubt. A success is told even when the effect was given up
 * before.
 */
export function effectDecider(types: EffectTypes): Decider<EffectState, EffectCommand, Message> {
  const event = (
    type: string,
    data: EffectClaimed | EffectAttemptFailed<unknown> | EffectSucceeded<unknown> | EffectFailed<unknown>,
  ): Message[] => [{ type, data }];

  function begin({ attempts, claimed, retryAt }: EffectState, { now, notAfter, delivery }: Limits): Message[] {
    if (claimed && delivery === 'atMostOnce') {
      return event(types.failed, { attempt: attempts, reason: 'inDoubt', failure: null });
    }
    if (now > notAfter) {
      const reason = claimed ? 'inDoubt' : attempts === 0 ? 'expired' : 'exhausted';
      return event(types.failed, { attempt: attempts, reason, failure: null });
    }
    if (now < retryAt) return [];
    return event(types.claimed, { attempt: attempts + 1, afterDoubt: claimed });
  }

  function fail(state: EffectState, command: Extract<EffectCommand, { type: 'fail' }>): Message[] {
    const { attempt, kind, doubtful, failure, delays, retryAfter = 0, now, notAfter, delivery } = command;
    // It is recorded already, or another attempt is under way and decides.
    if (attempt !== state.attempts || !state.claimed) return [];
    if (doubtful && delivery === 'atMostOnce') return event(types.failed, { attempt, reason: 'inDoubt', failure });
    if (kind !== 'transient') return event(types.failed, { attempt, reason: kind, failure });
    const retryAt = now + Math.max(delays[Math.min(attempt, delays.length) - 1] ?? Infinity, retryAfter);
    if (retryAt > notAfter) {
      return event(types.failed, { attempt, reason: doubtful ? 'inDoubt' : 'exhausted', failure });
    }
    return event(types.attemptFailed, { attempt, failure, retryAt });
  }

  return {
    initial: () => ({ attempts: 0, claimed: false, retryAt: 0, settled: false, succeeded: false }),

    evolve(state, { type, data }) {
      switch (type) {
        case types.claimed:
          return { ...state, attempts: (data as EffectClaimed).attempt, claimed: true };
        case types.attemptFailed:
          return { ...state, claimed: false, retryAt: (data as EffectAttemptFailed<unknown>).retryAt };
        case types.succeeded:
          return { ...state, claimed: false, settled: true, succeeded: true };
        case types.failed:
          return { ...state, claimed: false, settled: true };
        default:
          return state;
      }
    },

    decide(state, command) {
      switch (command.type) {
        case 'begin':
          return state.settled ? [] : begin(state, command);
        case 'cancel':
          return state.settled || state.claimed
            ? []
            : event(types.failed, { attempt: state.attempts, reason: 'cancelled', failure: null });
        case 'succeed':
          return state.succeeded ? [] : event(types.succeeded, { attempt: command.attempt, receipt: command.receipt });
        case 'fail':
          return state.settled ? [] : fail(state, command);
      }
    },
  };
}
