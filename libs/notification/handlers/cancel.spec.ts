import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EmailFailure, sendEmailBot } from '#libs/channel/email';
import { fold } from '#libs/kernel';
import { RetryLater, runtimeTimers } from '#libs/runtime';
import { NotificationFlow } from '#libs/testing/flow';
import { isTerminal, notification, notificationEvents, type NotificationEvent } from '../event/notification.js';
import { accept } from '../http/accept.js';
import { cancel } from '../http/cancel.js';
import type { PostToOneDto } from '../http/post-notification.dto.js';
import { foldView, readHistory } from '../view/history.js';
import { notificationViews, type NotificationView } from '../view/notification-view.js';
import { deliverySagaHandler } from './delivery.saga-handler.js';
import { escalationReactor } from './escalation.reactor.js';
import { fanOutBot } from './fan-out.bot.js';
import { sendBot } from './send.bot.js';

const file = { fileName: 'a.txt', mediaType: 'text/plain', content: 'QQ==' };
const dto: PostToOneDto = { recipientId: 'user-42', content: { subject: 'Invoice 7', text: 'Please pay.' } };
const busy = () => new EmailFailure('busy', { stage: 'send', kind: 'transient', code: 451 });

let flow: NotificationFlow;
beforeEach(() => open());
afterEach(() => flow.close());

async function open(): Promise<void> {
  flow = await NotificationFlow.open();
  await flow.putRecipient('user-42', { address: 'ada@example.com' });
}

async function post(more: Partial<PostToOneDto> = {}): Promise<string> {
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  const { id } = await accept({ ...flow.services, client: flow.client }, { ...dto, ...more }, request);
  return id;
}

const ask = (id: string) => cancel(flow.client, id, { caller: undefined, traceparent: undefined });

/** Its end: one event, the view agrees with it, and to go through all of it again changes nothing. */
async function endOf(id: string): Promise<NotificationView> {
  const events = (await flow.client.read(notificationEvents, id)) as NotificationEvent[];
  const ends = events.filter((_, index) => isTerminal(fold(notification, events.slice(0, index + 1)).status));
  expect(ends).toHaveLength(1);
  const view = await flow.client.last(notificationViews, id);
  expect(view!.data).toEqual(foldView(await readHistory(flow.client, id)));
  const before = await flow.stored();
  await flow.drive();
  expect(await flow.stored()).toEqual(before);
  return view!.data;
}

const cancelled = { status: 'cancelled', reason: 'cancelled', completedAt: expect.any(String) };
const operation = (attempts: number) => ({ status: 'failed', attempts, error: { reason: 'cancelled' } });

describe('cancelled', () => {
  test('before it is taken up', async () => {
    const id = await post();
    await ask(id);
    // As where taking it up fails for now.
    const [, record] = await flow.run(sendBot).waiting();
    await flow.run(sendBot).handle(record!);
    await flow.drive();
    expect(await endOf(id)).toMatchObject({ ...cancelled, channels: {} });
    expect(await flow.dataOf('email.operation')).toEqual([]);
  });

  test('while it waits for its time: the timer is cancelled too', async () => {
    const id = await post({ deliverAt: new Date(flow.now() + 60_000).toISOString() });
    await flow.drive();
    await ask(id);
    await flow.drive();
    expect(await endOf(id)).toMatchObject(cancelled);
    const timer = await flow.client.read(runtimeTimers, `${id}.deliver-at`);
    expect(timer.map(({ type }) => type)).toEqual(['runtime.timer-scheduled.v1', 'runtime.timer-cancelled.v1']);
  });

  test('as its time comes: the timer has fired, and sends nothing', async () => {
    const id = await post({ deliverAt: new Date(flow.now() + 60_000).toISOString() });
    await flow.drive();
    await ask(id);
    await flow.fireTimer(`${id}.deliver-at`, id);
    await flow.drive();
    expect(await endOf(id)).toMatchObject(cancelled);
    expect(flow.services.transport.sent).toEqual([]);
  });

  test('after the decision, before the first attempt', async () => {
    const id = await post();
    await flow.drive([sendBot, fanOutBot]);
    await ask(id);
    await flow.drive([sendBot]);
    await flow.drive();
    expect(await endOf(id)).toMatchObject({ ...cancelled, channels: { email: { operations: [operation(0)] } } });
    expect(flow.services.transport.sent).toEqual([]);
  });

  test('while it waits for the next attempt', async () => {
    const id = await post();
    flow.services.transport.failures.push(busy());
    await flow.drive([sendBot, fanOutBot]);
    const email = flow.run(sendEmailBot);
    const [record] = await email.waiting();
    await expect(email.handle(record!)).rejects.toThrow(RetryLater);
    await ask(id);
    await flow.drive();
    expect(await endOf(id)).toMatchObject({ ...cancelled, channels: { email: { operations: [operation(1)] } } });
    expect(flow.services.transport.sent).toHaveLength(1);
  });
});

describe('cancelled during an attempt', () => {
  /** Runs the flow, and a cancel of the notification in the middle of its first attempt. */
  async function cancelDuringAttempt(id: string): Promise<void> {
    const { transport } = flow.services;
    const send = transport.send.bind(transport);
    transport.send = async (message) => {
      transport.send = send;
      await ask(id);
      await sendBotOnce();
      return send(message);
    };
    await flow.drive();
  }

  async function sendBotOnce(): Promise<void> {
    const run = flow.run(sendBot);
    const record = (await run.waiting()).find(({ type }) => type === 'notification.cancel.v1');
    await expect(run.handle(record!)).rejects.toThrow('an attempt is under way');
  }

  test('it runs to its end', async () => {
    const id = await post();
    await cancelDuringAttempt(id);
    expect(await endOf(id)).toMatchObject({ status: 'sent', reason: null });
  });

  test('it is not repeated', async () => {
    const id = await post();
    flow.services.transport.failures.push(busy());
    await cancelDuringAttempt(id);
    expect(await endOf(id)).toMatchObject({ ...cancelled, channels: { email: { operations: [operation(1)] } } });
    expect(flow.services.transport.sent).toHaveLength(1);
  });
});

describe('cancelled in part', () => {
  test('what went out is told, and the team is not', async () => {
    Object.assign(flow.services, { teamEmail: { address: 'team@example.org' } });
    await flow.putRecipient('user-42', { address: 'ada@example.com', slack: 'C024BE91L' });
    const id = await post({ content: { ...dto.content, attachments: [file] } });
    await flow.drive([sendBot, fanOutBot, sendEmailBot]);
    await ask(id);
    await flow.drive([sendBot]);
    await flow.drive();
    expect(await endOf(id)).toMatchObject({
      status: 'partiallySent',
      reason: 'cancelled',
      channels: { email: { status: 'sent' }, slack: { status: 'failed', operations: [operation(0), operation(0)] } },
    });
    expect(flow.services.slackTransport.sent).toEqual([]);
    const reactor = flow.run(escalationReactor);
    for (const record of await reactor.waiting()) await reactor.handle(record);
    expect(await flow.dataOf('notification.internalOperation')).toEqual([]);
  });
});

describe('asked again', () => {
  test('it adds nothing, and is refused once it has ended otherwise', async () => {
    const id = await post({ deliverAt: new Date(flow.now() + 60_000).toISOString() });
    const asked = await Promise.all([ask(id), ask(id)]);
    expect(asked).toEqual([asked[0], asked[0]]);
    expect(asked[0]).toEqual({ status: 'cancelling', position: expect.any(BigInt) });
    await flow.drive();
    const before = await flow.stored();
    expect(await ask(id)).toEqual({ status: 'cancelled', position: undefined });
    await flow.drive();
    expect(await flow.stored()).toEqual(before);
    const sent = await post();
    await flow.drive();
    await expect(ask(sent)).rejects.toMatchObject({ status: 409, message: 'it has ended already: sent' });
  });
});

describe('torn off after any append', () => {
  test.each(Array.from({ length: 8 }, (_, left) => left))('%i: scheduled', async (left) => {
    const id = await post({ deliverAt: new Date(flow.now() + 60_000).toISOString() });
    await ask(id);
    await tearAndGoOn(left);
    expect(await endOf(id)).toMatchObject(cancelled);
  });

  test.each(Array.from({ length: 6 }, (_, left) => left))('%i: decided, on two channels', async (left) => {
    await flow.putRecipient('user-42', { address: 'ada@example.com', slack: 'C024BE91L' });
    const id = await post();
    await flow.drive([sendBot, fanOutBot]);
    await ask(id);
    await tearAndGoOn(left, [sendBot]);
    await flow.drive([sendBot]);
    await flow.drive();
    expect(await endOf(id)).toMatchObject(cancelled);
    expect(await flow.dataOf('email.event')).toHaveLength(1);
    expect(await flow.dataOf('slack.event')).toHaveLength(1);
  });

  async function tearAndGoOn(left: number, handlers?: Parameters<NotificationFlow['drive']>[0]): Promise<void> {
    flow.tearAfter(left);
    await flow.drive(handlers).catch(() => {});
    flow.tearAfter();
    await flow.drive(handlers);
  }
});

test('in whatever order the handlers come to it, there is one end, and it agrees with what was sent', async () => {
  const handlers = [sendBot, fanOutBot, sendEmailBot, deliverySagaHandler];
  const ends = new Set<string>();
  const step = fc.nat(handlers.length);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.boolean(), async (steps, fails) => {
      await flow.close();
      await open();
      const id = await post();
      if (fails) flow.services.transport.failures.push(busy());
      const runs = handlers.map((handler) => flow.run(handler));
      for (const next of [...steps, handlers.length]) {
        if (next === handlers.length) {
          await ask(id).catch(() => {});
          continue;
        }
        const [record] = await runs[next]!.waiting();
        if (record === undefined) continue;
        await runs[next]!.handle(record).catch((error: unknown) => {
          if (!(error instanceof RetryLater)) throw error;
        });
      }
      await Promise.all(runs.map((run) => run.stop()));
      await flow.drive();
      const { status } = await endOf(id);
      const isSent = (await flow.dataOf('email.event', 'email.sent.v1')).length === 1;
      expect(status).toBe(isSent ? 'sent' : 'cancelled');
      ends.add(status);
    }),
    { numRuns: 40 },
  );
  expect([...ends].sort()).toEqual(['cancelled', 'sent']);
}, 60_000);
