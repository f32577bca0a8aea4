import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Message } from '#libs/kernel';
import { given } from '#libs/testing';
import { effectDecider, type DeliveryPolicy, type EffectClaimed, type EffectCommand } from './effect.js';

const types = { claimed: 'claimed', attemptFailed: 'attempt-failed', succeeded: 'succeeded', failed: 'failed' };
const decider = effectDecider(types);
const notAfter = 100_000;
const delays = [1_000, 5_000];

const claimed = (attempt: number, afterDoubt = false): Message => ({ type: 'claimed', data: { attempt, afterDoubt } });
const attemptFailed = (attempt: number, retryAt: number): Message => ({
  type: 'attempt-failed',
  data: { attempt, failure: 'busy', retryAt },
});
const succeeded = (attempt: number): Message => ({ type: 'succeeded', data: { attempt, receipt: 'r' } });
const failed = (attempt: number, reason: string, failure: unknown = null): Message => ({
  type: 'failed',
  data: { attempt, reason, failure },
});

const begin = (now: number, delivery: DeliveryPolicy = 'atLeastOnce'): EffectCommand => ({
  type: 'begin',
  now,
  notAfter,
  delivery,
});
const succeed = (attempt: number): EffectCommand => ({ type: 'succeed', attempt, receipt: 'r' });
const fail = (
  attempt: number,
  how: Partial<Extract<EffectCommand, { type: 'fail' }>> & { readonly now: number },
): EffectCommand => ({
  type: 'fail',
  attempt,
  kind: 'transient',
  doubtful: false,
  failure: 'busy',
  delays,
  notAfter,
  delivery: 'atLeastOnce',
  ...how,
});

describe('an effect', () => {
  it('is claimed before its first attempt', () => given(decider).when(begin(0)).then(claimed(1)));
  it('is claimed at its very last moment', () => given(decider).when(begin(notAfter)).then(claimed(1)));
  it('is not claimed when its time was over before', () =>
    given(decider)
      .when(begin(notAfter + 1))
      .then(failed(0, 'expired')));
  it('succeeds', () => given(decider, claimed(1)).when(succeed(1)).then(succeeded(1)));

  it('that failed is tried again after a wait, of which the last one repeats', () => {
    given(decider, claimed(1))
      .when(fail(1, { now: 10 }))
      .then(attemptFailed(1, 1_010));
    const twice = [claimed(1), attemptFailed(1, 1_010), claimed(2)];
    given(decider, ...twice)
      .when(fail(2, { now: 2_000 }))
      .then(attemptFailed(2, 7_000));
    given(decider, ...twice, attemptFailed(2, 7_000), claimed(3))
      .when(fail(3, { now: 8_000 }))
      .then(attemptFailed(3, 13_000));
  });

  it('is tried again no sooner than the other side wishes, and no sooner than the wait says', () => {
    given(decider, claimed(1))
      .when(fail(1, { now: 10, retryAfter: 30_000 }))
      .then(attemptFailed(1, 30_010));
    given(decider, claimed(1))
      .when(fail(1, { now: 10, retryAfter: 999 }))
      .then(attemptFailed(1, 1_010));
    given(decider, claimed(1), attemptFailed(1, 30_010)).when(begin(30_009)).then();
    given(decider, claimed(1), attemptFailed(1, 30_010)).when(begin(30_010)).then(claimed(2));
  });

  it('is given up when the other side wishes to be left alone until its time is over', () => {
    given(decider, claimed(1))
      .when(fail(1, { now: 0, retryAfter: notAfter + 1 }))
      .then(failed(1, 'exhausted', 'busy'));
    given(decider, claimed(1))
      .when(fail(1, { now: 0, retryAfter: 5, delays: [] }))
      .then(failed(1, 'exhausted', 'busy'));
  });

  it('is not tried again before the wait is over', () => {
    given(decider, claimed(1), attemptFailed(1, 1_010)).when(begin(1_009)).then();
    given(decider, claimed(1), attemptFailed(1, 1_010)).when(begin(1_010)).then(claimed(2));
  });

  it('is given up when the next attempt would be too late', () => {
    given(decider, claimed(1))
      .when(fail(1, { now: notAfter - 999 }))
      .then(failed(1, 'exhausted', 'busy'));
    given(decider, claimed(1), attemptFailed(1, notAfter))
      .when(begin(notAfter + 1))
      .then(failed(1, 'exhausted'));
  });

  it('is given up after one attempt when there are no waits', () =>
    given(decider, claimed(1))
      .when(fail(1, { now: 0, delays: [] }))
      .then(failed(1, 'exhausted', 'busy')));

  it.each(['permanent', 'recipientErased'] as const)('is given up at once: %s', (kind) =>
    given(decider, claimed(1))
      .when(fail(1, { now: 0, kind }))
      .then(failed(1, kind, 'busy')),
  );

  it('that is settled is not begun again, nor failed', () => {
    for (const end of [succeeded(1), failed(1, 'permanent')]) {
      given(decider, claimed(1), end).when(begin(0)).then();
      given(decider, claimed(1), end)
        .when(fail(1, { now: 0 }))
        .then();
    }
  });

  it('that succeeds late, after it was given up, says so once', () => {
    const givenUp = [claimed(1), failed(1, 'inDoubt')];
    given(decider, ...givenUp)
      .when(succeed(1))
      .then(succeeded(1));
    given(decider, ...givenUp, succeeded(1))
      .when(succeed(1))
      .then();
  });

  it('of which a later attempt is under way is not failed by an earlier one', () =>
    given(decider, claimed(1), claimed(2, true))
      .when(fail(1, { now: 0 }))
      .then());
});

describe('an attempt in doubt', () => {
  it('is repeated, visibly, where delivery is at least once', () =>
    given(decider, claimed(1)).when(begin(0)).then(claimed(2, true)));
  it('is given up where delivery is at most once', () =>
    given(decider, claimed(1)).when(begin(0, 'atMostOnce')).then(failed(1, 'inDoubt')));
  it('is given up as such when the time is over', () =>
    given(decider, claimed(1))
      .when(begin(notAfter + 1))
      .then(failed(1, 'inDoubt')));

  it('that is reported so is repeated or given up likewise', () => {
    given(decider, claimed(1))
      .when(fail(1, { now: 0, doubtful: true }))
      .then(attemptFailed(1, 1_000));
    given(decider, claimed(1))
      .when(fail(1, { now: 0, doubtful: true, delivery: 'atMostOnce' }))
      .then(failed(1, 'inDoubt', 'busy'));
    given(decider, claimed(1))
      .when(fail(1, { now: notAfter, doubtful: true }))
      .then(failed(1, 'inDoubt', 'busy'));
  });
});

describe('a cancel', () => {
  const cancel: EffectCommand = { type: 'cancel' };
  it('gives up what no attempt was made of', () => given(decider).when(cancel).then(failed(0, 'cancelled')));
  it('gives up what waits for its next attempt', () =>
    given(decider, claimed(1), attemptFailed(1, 1_010)).when(cancel).then(failed(1, 'cancelled')));
  it('changes nothing while an attempt is under way', () => given(decider, claimed(1)).when(cancel).then());
  it('changes nothing of an outcome', () => {
    given(decider, claimed(1), succeeded(1)).when(cancel).then();
    given(decider, claimed(1), failed(1, 'permanent', 'busy'))
      .when(cancel)
      .then();
  });
  it('is followed by no attempt', () => given(decider, failed(0, 'cancelled')).when(begin(0)).then());
});

describe('whatever happens', () => {
  const delivery = fc.constantFrom<DeliveryPolicy>('atLeastOnce', 'atMostOnce');
  const now = fc.integer({ min: 0, max: notAfter + 1_000 });
  const attempt = fc.integer({ min: 1, max: 4 });
  const commands: fc.Arbitrary<EffectCommand[]> = fc.array(
    fc.oneof(
      fc.tuple(now, delivery).map(([at, policy]) => begin(at, policy)),
      attempt.map(succeed),
      fc.constant({ type: 'cancel' } as const),
      fc
        .record({
          now,
          delivery,
          doubtful: fc.boolean(),
          kind: fc.constantFrom('transient' as const, 'permanent' as const, 'recipientErased' as const),
        })
        .chain((how) => attempt.map((number) => fail(number, how))),
    ),
    { maxLength: 30 },
  );

  /** What the commands lead to; outcomes are of attempts that were claimed. */
  function run(given: readonly EffectCommand[]): Message[] {
    let state = decider.initial();
    const history: Message[] = [];
    for (const command of given) {
      if ('attempt' in command && command.attempt > state.attempts) continue;
      const events = decider.decide(state, command);
      for (const event of events) state = decider.evolve(state, event);
      history.push(...events);
      if (command.type !== 'begin') expect(decider.decide(state, command)).toEqual([]);
    }
    return history;
  }

  it('it succeeds at most once, is given up at most once, and counts its attempts', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const history = run(given);
        const ofType = (type: string) => history.filter((event) => event.type === type);
        expect(ofType('succeeded').length).toBeLessThanOrEqual(1);
        expect(ofType('failed').length).toBeLessThanOrEqual(1);
        expect(ofType('claimed').map(({ data }) => (data as EffectClaimed).attempt)).toEqual(
          ofType('claimed').map((_, index) => index + 1),
        );
      }),
    );
  });
});
