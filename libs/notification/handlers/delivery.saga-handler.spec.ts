import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EmailFailure, sendEmailBot } from '#libs/channel/email';
import { NotificationFlow } from '#libs/testing/flow';
import { notificationEvents } from '../event/notification.js';
import { accept } from '../http/accept.js';
import { notificationViews } from '../view/notification-view.js';
import { deliverySagaHandler } from './delivery.saga-handler.js';
import { fanOutBot } from './fan-out.bot.js';
import { sendBot } from './send.bot.js';
import { viewProjector } from './view.projector.js';

let flow: NotificationFlow;
let id: string;
beforeEach(async () => {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'setTimeout',
      'clearTimeout',
    ],
  });
  flow = await NotificationFlow.open();
  await flow.putRecipient('user-42', { address: 'ada@example.com' });
  const dto = { recipientId: 'user-42', content: { subject: 'Invoice 7', text: 'Please pay.' } };
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  ({ id } = await accept({ ...flow.services, client: flow.client }, dto, request));
  await flow.drive([sendBot, fanOutBot]);
});
afterEach(async () => {
  await flow.close();
  jest.useRealTimers();
});

async function lastEvent() {
  return (await flow.client.last(notificationEvents, id))!;
}

async function startWaiting() {
  const run = flow.run(deliverySagaHandler);
  const [started] = await run.waiting();
  const deferred = await run.handle(started!);
  if (!deferred) throw new Error('it does not wait');
  return { run, settled: deferred.settled };
}

test('holds its checkpoint back until the delivery has ended', async () => {
  const { run, settled } = await startWaiting();
  await flow.drive([sendEmailBot]);
  for (const record of await run.waiting()) await run.handle(record);
  expect(await settled).toBe(true);
  expect((await lastEvent()).type).toBe('notification.sent.v1');
  await run.stop();
});

test('leaves a delivery undone when it stops', async () => {
  const { run, settled } = await startWaiting();
  await run.stop();
  expect(await settled).toBe(false);
});

test('gives a timer to a delivery that takes long, once', async () => {
  const { run, settled } = await startWaiting();
  const appends = flow.appends;
  flow.advance(29_000);
  jest.advanceTimersByTime(5_000);
  expect(flow.appends).toBe(appends);
  flow.advance(1_000);
  jest.advanceTimersByTime(5_000);
  expect(await settled).toBe(true);
  await run.stop();

  const again = await startWaiting();
  flow.advance(30_000);
  jest.advanceTimersByTime(5_000);
  expect(await again.settled).toBe(true);
  await again.run.stop();
  expect(await flow.dataOf('runtime.timer')).toHaveLength(1);
});

test.each(['the same handler', 'another one, after a restart'])('an end takes the timer back: %s', async (which) => {
  const { run, settled } = await startWaiting();
  flow.advance(30_000);
  jest.advanceTimersByTime(5_000);
  await settled;
  if (which !== 'the same handler') await run.stop();
  await flow.drive([sendEmailBot]);
  const ending = which === 'the same handler' ? run : flow.run(deliverySagaHandler);
  for (const record of await ending.waiting()) if (record.type === 'email.sent.v1') await ending.handle(record);
  await ending.stop();
  expect((await lastEvent()).type).toBe('notification.sent.v1');
  expect(await flow.dataOf('runtime.timer', 'runtime.timer-cancelled.v1')).toHaveLength(1);
});

test('ends at the deadline; what comes later is kept, and shown', async () => {
  const { run, settled } = await startWaiting();
  flow.advance(30_000);
  jest.advanceTimersByTime(5_000);
  await settled;
  await run.stop();
  await flow.fireTimer(`${id}.delivery-deadline`, id);
  await flow.drive([deliverySagaHandler, viewProjector]);
  const end = await lastEvent();
  expect(end).toMatchObject({
    type: 'notification.failed.v1',
    data: { reason: 'deadlineExceeded', outcomes: [{ status: 'failed', reason: 'deadline', inDoubt: true }] },
  });
  await flow.drive();
  expect((await lastEvent()).id).toBe(end.id);
  expect(await flow.dataOf('email.event', 'email.failed.v1')).toMatchObject([{ reason: 'expired' }]);
  expect((await flow.client.last(notificationViews, id))!.data).toMatchObject({
    status: 'failed',
    reason: 'deadlineExceeded',
    channels: { email: { operations: [{ error: { reason: 'expired' } }] } },
  });
});

test('remembers nothing it needs: an outcome is enough, with the start long behind the checkpoint', async () => {
  flow.services.transport.failures.push(new EmailFailure('no', { stage: 'send', kind: 'permanent', code: 550 }));
  await flow.drive([sendEmailBot]);
  const run = flow.run(deliverySagaHandler);
  const outcome = (await run.waiting()).find(({ type }) => type === 'email.failed.v1');
  await run.handle(outcome!);
  await run.stop();
  expect(await lastEvent()).toMatchObject({
    type: 'notification.failed.v1',
    data: { reason: 'couldNotSend', decision: { category: 'general' }, outcomes: [{ reason: 'permanent' }] },
  });
});

test('a failed end names the decision that led to it, from the notification itself', async () => {
  flow.services.transport.failures.push(new EmailFailure('no', { stage: 'send', kind: 'permanent' }));
  await flow.drive();
  const before = await flow.stored();
  await flow.drive([deliverySagaHandler]);
  expect(await flow.stored()).toEqual(before);
  expect(await lastEvent()).toMatchObject({ data: { decision: { recipientRevision: '0', preference: 'none' } } });
});
