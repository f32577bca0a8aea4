import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fold } from '#libs/kernel';
import { givenSaga } from '#libs/testing';
import { outcomeSample } from '#libs/testing/samples';
import type { OperationOutcome } from '../event/contents.js';
import { delivery, type DeliveryReaction, type DeliverySeen } from './delivery.js';

const awaited = (operationId: string, channel: 'email' | 'slack' = 'email') => ({
  operationId,
  channel,
  succeededType: `${channel}.sent.v1`,
  failedType: `${channel}.failed.v1`,
});
const started: DeliverySeen = {
  type: 'notification.delivery-started.v1',
  data: {
    operations: [awaited('a'), awaited('b')],
    deadline: '2026-01-02T00:01:00.000Z',
    notificationRevision: '1',
  },
};
const seen = (operationId: string, event: string, reason: string | null): DeliverySeen => ({
  type: 'channelEventSeen',
  data: { operationId, event, reason, inDoubt: reason === 'inDoubt' },
});
const succeeded = (operationId: string) => seen(operationId, 'email.sent.v1', null);
const failed = (operationId: string, reason = 'permanent') => seen(operationId, 'email.failed.v1', reason);
const deadline: DeliverySeen = { type: 'deadlinePassed', data: null };
const complete = (...data: OperationOutcome[]): DeliveryReaction => ({ type: 'complete', data });

describe('it waits', () => {
  test('before it has started', () => givenSaga(delivery).then());
  test('while every operation is pending', () => givenSaga(delivery, started).then());
  test('while one operation is pending', () => givenSaga(delivery, started, succeeded('a')).then());
  test('when only events of other operations come', () =>
    givenSaga(delivery, started, succeeded('a'), succeeded('x'), failed('y')).then());
  test('when an event is no outcome', () =>
    givenSaga(delivery, started, succeeded('a'), seen('b', 'email.claimed.v1', null)).then());
  test('also after the deadline, where it has not started', () => givenSaga(delivery, deadline).then());
  test('an event before the start does not count: it comes again after it', () =>
    givenSaga(delivery, succeeded('a'), succeeded('b'), started).then());
});

describe('it completes', () => {
  test('when all succeeded', () =>
    givenSaga(delivery, started, succeeded('b'), succeeded('a')).then(
      complete(outcomeSample('a'), outcomeSample('b')),
    ));
  test('when all failed', () =>
    givenSaga(delivery, started, failed('a'), failed('b', 'exhausted')).then(
      complete(outcomeSample('a', 'permanent'), outcomeSample('b', 'exhausted')),
    ));
  test('when some failed', () =>
    givenSaga(delivery, started, succeeded('a'), failed('b')).then(
      complete(outcomeSample('a'), outcomeSample('b', 'permanent')),
    ));
  test('with a failure that is in doubt flagged', () =>
    givenSaga(delivery, started, succeeded('a'), failed('b', 'inDoubt')).then(
      complete(outcomeSample('a'), { ...outcomeSample('b', 'inDoubt'), inDoubt: true }),
    ));
  test('at the deadline: what has no outcome has failed, in doubt', () =>
    givenSaga(delivery, started, succeeded('a'), deadline).then(
      complete(outcomeSample('a'), outcomeSample('b', 'deadline')),
    ));
});

describe('a delivery on two channels, with several operations on one', () => {
  const startedOnBoth: DeliverySeen = {
    type: 'notification.delivery-started.v1',
    data: {
      operations: [awaited('mail'), awaited('message', 'slack'), awaited('file', 'slack')],
      deadline: '2026-01-02T00:01:00.000Z',
      notificationRevision: '1',
    },
  };
  const posted = (operationId: string) => seen(operationId, 'slack.sent.v1', null);
  const refused = (operationId: string) => seen(operationId, 'slack.failed.v1', 'permanent');

  test('waits for all of them, in whatever order they come', () => {
    givenSaga(delivery, startedOnBoth, posted('file'), succeeded('mail')).then();
    givenSaga(delivery, startedOnBoth, posted('file'), succeeded('mail'), posted('message')).then(
      complete(outcomeSample('mail'), outcomeSample('message', null, 'slack'), outcomeSample('file', null, 'slack')),
    );
  });
  test('tells what became of each', () =>
    givenSaga(delivery, startedOnBoth, refused('file'), posted('message'), succeeded('mail')).then(
      complete(
        outcomeSample('mail'),
        outcomeSample('message', null, 'slack'),
        outcomeSample('file', 'permanent', 'slack'),
      ),
    ));
  test('takes the event of another channel for no outcome', () =>
    givenSaga(delivery, startedOnBoth, posted('mail'), posted('message'), posted('file')).then());
});

describe('a success and a failure of one operation count as a failure, in doubt', () => {
  const contradicted = { ...outcomeSample('b', 'permanent'), inDoubt: true };
  test.each([
    ['success first', [succeeded('b'), failed('b')]],
    ['failure first', [failed('b'), succeeded('b')]],
    ['again and again', [failed('b'), succeeded('b'), failed('b'), succeeded('b')]],
  ])('%s', (_, contradiction) => {
    givenSaga(delivery, started, ...contradiction, succeeded('a')).then(complete(outcomeSample('a'), contradicted));
  });
});

describe('for any channel events', () => {
  const event = fc.tuple(fc.constantFrom('a', 'b', 'x'), fc.boolean()).map(([id, good]) => {
    return good ? succeeded(id) : failed(id);
  });
  const react = (events: readonly DeliverySeen[]) => delivery.react(fold(delivery, [started, ...events]));

  test('their order and their repetition make no difference', () => {
    const shuffledWithRepetitions = fc.array(event, { maxLength: 8 }).chain((events) =>
      fc.tuple(
        fc.constant(events),
        fc
          .tuple(
            fc.shuffledSubarray(events, { minLength: events.length }),
            events.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...events), { maxLength: 8 }),
          )
          .map(([shuffled, repeated]) => [...shuffled, ...repeated]),
      ),
    );
    fc.assert(
      fc.property(shuffledWithRepetitions, ([events, disturbed]) => {
        expect(react(disturbed)).toEqual(react(events));
      }),
    );
  });

  test('the deadline ends every wait', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        expect(react([...events, deadline])).toHaveLength(1);
      }),
    );
  });
});
