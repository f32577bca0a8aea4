import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fold } from '#libs/kernel';
import { given } from '#libs/testing';
import { decisionSample, outcomeSample, preparedSample, requestedSample } from '#libs/testing/samples';
import type { FailureReason, OperationOutcome } from './contents.js';
import {
  isTerminal,
  notification,
  type NotificationCommand,
  type NotificationEvent,
  type NotificationState,
  type NotificationStatus,
  type Resolution,
} from './notification.js';

const deliverAt = '2026-01-01T12:00:00.000Z';
const requested: NotificationEvent = { type: 'notification.requested.v1', data: requestedSample };
const scheduled: NotificationEvent = { type: 'notification.scheduled.v1', data: { deliverAt } };
const prepared: Resolution = { type: 'notification.prepared.v1', data: preparedSample('a', 'b') };
const optedOut: Resolution = { type: 'notification.opted-out.v1', data: { decision: decisionSample, channels: [] } };
const unknown: Resolution = {
  type: 'notification.failed.v1',
  data: { reason: 'unknownRecipient', decision: null, outcomes: [] },
};

const sent = (...outcomes: OperationOutcome[]): NotificationEvent => ({
  type: 'notification.sent.v1',
  data: { outcomes },
});
const partiallySent = (...outcomes: OperationOutcome[]): NotificationEvent => ({
  type: 'notification.partially-sent.v1',
  data: { outcomes },
});
const failed = (reason: FailureReason, ...outcomes: OperationOutcome[]): NotificationEvent => ({
  type: 'notification.failed.v1',
  data: { reason, decision: decisionSample, outcomes },
});
const expired = (...outcomes: OperationOutcome[]): NotificationEvent => ({
  type: 'notification.expired.v1',
  data: { notAfter: requestedSample.notAfter, outcomes },
});
const cancelled = (...outcomes: OperationOutcome[]): NotificationEvent => ({
  type: 'notification.cancelled.v1',
  data: { outcomes },
});

const histories: Record<NotificationStatus | 'none', readonly NotificationEvent[]> = {
  none: [],
  requested: [requested],
  scheduled: [requested, scheduled],
  sending: [requested, prepared],
  sent: [requested, prepared, sent(outcomeSample('a'))],
  partiallySent: [requested, prepared, partiallySent(outcomeSample('a'))],
  failed: [requested, unknown],
  optedOut: [requested, optedOut],
  cancelled: [requested, cancelled()],
  expired: [requested, expired()],
};

const commands = {
  request: { type: 'request', requested: requestedSample },
  schedule: { type: 'schedule', deliverAt },
  prepare: { type: 'resolve', resolution: prepared },
  optOut: { type: 'resolve', resolution: optedOut },
  refuse: { type: 'resolve', resolution: unknown },
  expire: { type: 'expire' },
  cancel: { type: 'cancel' },
  complete: { type: 'complete', outcomes: [outcomeSample('a')] },
} satisfies Record<string, NotificationCommand>;

/** What each command comes to in each status where it comes to anything. */
const decisions: Partial<Record<string, Partial<Record<keyof typeof commands, NotificationEvent>>>> = {
  none: { request: requested },
  requested: {
    schedule: scheduled,
    prepare: prepared,
    optOut: optedOut,
    refuse: unknown,
    expire: expired(),
    cancel: cancelled(),
  },
  scheduled: { prepare: prepared, optOut: optedOut, refuse: unknown, expire: expired(), cancel: cancelled() },
  sending: { complete: sent(outcomeSample('a')) },
};

describe.each(Object.entries(histories))('%s', (status, history) => {
  test('is the status', () => {
    expect(fold(notification, history).status).toBe(status);
  });
  test.each(Object.entries(commands))('%s', (name, command) => {
    const event = decisions[status]?.[name as keyof typeof commands];
    given(notification, ...history)
      .when(command)
      .then(...(event === undefined ? [] : [event]));
  });
});

describe('telling the team', () => {
  const escalation = { operationId: 'm', at: '2026-01-01T00:00:00.000Z' };
  const told: NotificationEvent = { type: 'notification.internal-team-notified.v1', data: escalation };
  const escalate: NotificationCommand = { type: 'escalate', escalation };
  const another = { ...escalate, escalation: { ...escalation, operationId: 'n' } };

  test.each(Object.entries(histories))('%s', (status, history) => {
    given(notification, ...history)
      .when(escalate)
      .then(...(['sending', 'sent', 'partiallySent', 'failed'].includes(status) ? [told] : []));
  });
  test('once', () => {
    given(notification, ...histories.failed, told)
      .when(another)
      .then();
  });
  test('changes nothing else', () => {
    const { escalation: before, ...rest } = fold(notification, histories.partiallySent);
    expect(before).toBeNull();
    expect(fold(notification, [...histories.partiallySent, told])).toEqual({ ...rest, escalation });
  });
});

describe('what the outcomes come to', () => {
  const slack = (operationId: string, reason: string | null = null) => outcomeSample(operationId, reason, 'slack');
  test.each<[string, OperationOutcome[], (...outcomes: OperationOutcome[]) => NotificationEvent]>([
    ['all succeeded', [outcomeSample('a'), outcomeSample('b')], sent],
    ['one channel succeeded, the other failed', [outcomeSample('a'), slack('b', 'permanent')], partiallySent],
    [
      'a channel succeeded in part only: it is not delivered',
      [outcomeSample('a'), outcomeSample('b', 'permanent')],
      (...all) => failed('couldNotSend', ...all),
    ],
    ['all failed', [outcomeSample('a', 'permanent')], (...all) => failed('couldNotSend', ...all)],
    ['exhausted', [outcomeSample('a', 'exhausted')], (...all) => failed('couldNotSend', ...all)],
    ['in doubt', [outcomeSample('a', 'inDoubt')], (...all) => failed('couldNotSend', ...all)],
    ['all erased', [outcomeSample('a', 'recipientErased')], (...all) => failed('recipientErased', ...all)],
    [
      'one erased, one refused',
      [outcomeSample('a', 'recipientErased'), slack('b', 'permanent')],
      (...all) => failed('couldNotSend', ...all),
    ],
    [
      'one had no outcome in time',
      [outcomeSample('a', 'deadline'), slack('b', 'permanent')],
      (...all) => failed('deadlineExceeded', ...all),
    ],
    ['all cancelled', [outcomeSample('a', 'cancelled'), slack('b', 'cancelled')], cancelled],
    ['one channel succeeded, the other was cancelled', [outcomeSample('a'), slack('b', 'cancelled')], partiallySent],
    ['a channel succeeded in part, the rest was cancelled', [slack('a'), slack('b', 'cancelled')], partiallySent],
    [
      'one refused, one cancelled',
      [outcomeSample('a', 'permanent'), slack('b', 'cancelled')],
      (...all) => failed('couldNotSend', ...all),
    ],
    ['one expired, one cancelled', [outcomeSample('a', 'expired'), slack('b', 'cancelled')], expired],
    ['all expired', [outcomeSample('a', 'expired'), slack('b', 'expired')], expired],
    [
      'one expired, one refused',
      [outcomeSample('a', 'expired'), slack('b', 'permanent')],
      (...all) => failed('couldNotSend', ...all),
    ],
  ])('%s', (_, outcomes, event) => {
    given(notification, requested, prepared)
      .when({ type: 'complete', outcomes })
      .then(event(...outcomes));
  });
});

describe('for any commands', () => {
  const outcome = fc
    .tuple(
      fc.constantFrom('a', 'b'),
      fc.constantFrom(null, 'permanent', 'expired', 'recipientErased', 'deadline', 'cancelled'),
      fc.constantFrom('email' as const, 'slack' as const),
    )
    .map(([id, reason, channel]) => outcomeSample(id, reason, channel));
  const command: fc.Arbitrary<NotificationCommand> = fc.oneof(
    fc.constantFrom(...Object.values(commands)),
    fc
      .array(outcome, { minLength: 1, maxLength: 3 })
      .map((outcomes): NotificationCommand => ({ type: 'complete', outcomes })),
  );

  function run(commandsGiven: readonly NotificationCommand[]): {
    state: NotificationState;
    events: NotificationEvent[];
  } {
    let state = notification.initial();
    const events: NotificationEvent[] = [];
    for (const one of commandsGiven) {
      for (const event of notification.decide(state, one)) {
        events.push(event);
        state = notification.evolve(state, event);
      }
    }
    return { state, events };
  }

  test('each is idempotent', () => {
    fc.assert(
      fc.property(fc.array(command), command, (before, one) => {
        expect(notification.decide(run([...before, one]).state, one)).toEqual([]);
      }),
    );
  });

  test('there is at most one terminal event, and it is the last', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), (all) => {
        const { events } = run([commands.request, ...all]);
        const ends = events.map((_, index) => isTerminal(fold(notification, events.slice(0, index + 1)).status));
        expect(ends.filter(Boolean).length).toBeLessThanOrEqual(1);
        expect(ends.slice(0, -1)).not.toContain(true);
      }),
    );
  });
});
