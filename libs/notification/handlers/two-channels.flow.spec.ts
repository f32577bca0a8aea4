import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmailFailure, sendEmailBot } from '#libs/channel/email';
import { SlackFailure } from '#libs/channel/slack';
import { fold, type Metadata } from '#libs/kernel';
import type { Deferred } from '#libs/runtime';
import { NotificationFlow } from '#libs/testing/flow';
import type { NotificationPrepared, OperationOutcome } from '../event/contents.js';
import { isTerminal, notification, notificationEvents, type NotificationEvent } from '../event/notification.js';
import { accept } from '../http/accept.js';
import type { PostToOneDto } from '../http/post-notification.dto.js';
import { NotificationQueries } from '../http/queries.js';
import type { DeliveryStarted } from '../saga/delivery.js';
import { foldView, readHistory } from '../view/history.js';
import { notificationViews, type NotificationView } from '../view/notification-view.js';
import { deliverySagaHandler } from './delivery.saga-handler.js';
import { fanOutBot } from './fan-out.bot.js';
import { sendBot } from './send.bot.js';
import { viewProjector } from './view.projector.js';

const file = (fileName: string) => ({
  fileName,
  mediaType: 'text/plain',
  content: Buffer.from(`bytes of ${fileName}`).toString('base64'),
});
const dto: PostToOneDto = {
  recipientId: 'user-42',
  category: 'billing',
  content: { subject: 'Invoice 7', text: 'Please pay.', attachments: [file('a.txt'), file('b.txt')] },
  tags: { invoice: '7' },
};
const mailRefused = () => new EmailFailure('no', { stage: 'send', kind: 'permanent', code: 550 });
const slackRefused = () =>
  new SlackFailure('no', { stage: 'send', kind: 'permanent', code: 'channel_not_found', httpStatus: 200 });

let flow: NotificationFlow;
let queries: NotificationQueries;
beforeEach(async () => {
  flow = await NotificationFlow.open();
  queries = new NotificationQueries({ ...flow.services, client: flow.client });
  await flow.putRecipient('user-42', { address: 'ada@example.com', slack: 'C024BE91L', name: 'Ada' });
});
afterEach(async () => {
  queries.stopWaiting();
  await flow.close();
});

async function post(more: Partial<PostToOneDto> = {}): Promise<string> {
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  const { id } = await accept({ ...flow.services, client: flow.client }, { ...dto, ...more }, request);
  return id;
}

async function notify(more: Partial<PostToOneDto> = {}): Promise<string> {
  const id = await post(more);
  await flow.drive();
  return id;
}

/** One event that ends it, the view agrees with it, and to go through all of it again changes nothing. */
async function endOf(id: string): Promise<NotificationView> {
  const events = (await flow.client.read(notificationEvents, id)) as NotificationEvent[];
  const ends = events.filter((_, index) => isTerminal(fold(notification, events.slice(0, index + 1)).status));
  expect(ends).toHaveLength(1);
  const view = await flow.client.last(notificationViews, id);
  expect(view!.data).toEqual(foldView(await readHistory(flow.client, id)));
  const before = await flow.stored();
  await flow.drive();
  expect(await flow.stored()).toEqual(before);
  return (await queries.view(id, 0))!;
}

function operationsOf(view: NotificationView): string[] {
  return Object.values(view.channels).flatMap(({ operations }) =>
    operations.map(({ type, status, to }) => `${type} to ${to}: ${status}`),
  );
}

describe('sent on both', () => {
  test('a mail with all attachments; a Slack message, then each attachment as an upload', async () => {
    const view = await endOf(await notify());
    expect(view).toMatchObject({
      status: 'sent',
      channels: { email: { status: 'sent' }, slack: { status: 'sent' } },
      sandbox: false,
    });
    expect(operationsOf(view)).toEqual([
      'SendEmail to ada@example.com: succeeded',
      'SendSlackMessage to C024BE91L: succeeded',
      'UploadFileToSlack to C024BE91L: succeeded',
      'UploadFileToSlack to C024BE91L: succeeded',
    ]);
    expect(flow.services.transport.sent).toMatchObject([
      { attachments: [{ fileName: 'a.txt' }, { fileName: 'b.txt' }] },
    ]);
    expect(flow.services.slackTransport.sent).toMatchObject([
      { channel: 'C024BE91L', text: expect.stringContaining('Please pay.') },
      { channel: 'C024BE91L', fileName: 'a.txt' },
      { channel: 'C024BE91L', fileName: 'b.txt' },
    ]);
  });

  test('in the order of preference', async () => {
    const preferences = { default: { channels: ['slack' as const, 'email' as const] } };
    await flow.putRecipient('user-42', { address: 'ada@example.com', slack: 'C024BE91L', preferences });
    const view = await endOf(await notify({ content: { subject: 'a', text: 'b' } }));
    expect(operationsOf(view)).toEqual([
      'SendSlackMessage to C024BE91L: succeeded',
      'SendEmail to ada@example.com: succeeded',
    ]);
  });

  test('the saga stands first and names every operation; the operations follow in order, each with its own id', async () => {
    await notify();
    const [prepared] = await flow.dataOf<NotificationPrepared>('notification.event', 'notification.prepared.v1');
    const ids = prepared!.operations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    const enqueued = (await flow.stored()).filter(({ stream }) => /^(notification\.saga|\w+\.operation)-/.test(stream));
    expect(enqueued.map(({ stream }) => stream.replace(/^\w+\.operation-/, ''))).toEqual([
      expect.stringMatching(/^notification\.saga-/),
      ...ids,
    ]);
    const [started] = await flow.dataOf<DeliveryStarted>('notification.saga');
    const named = (channel: string) => ({ succeededType: `${channel}.sent.v1`, failedType: `${channel}.failed.v1` });
    expect(started!.operations).toEqual(
      prepared!.operations.map(({ id, channel }) => ({ operationId: id, channel, ...named(channel) })),
    );
  });

  test('every record of it leads to its tags, and its end shows each of them once', async () => {
    const id = await notify();
    const records = (await flow.stored()).filter(({ stream }) => !/^(recipient|runtime)\./.test(stream));
    const flows = new Set(records.map(({ metadata }) => (metadata as Metadata).$correlationId));
    expect(flows).toEqual(new Set([id]));
    const requested = fold(notification, (await flow.client.read(notificationEvents, id)) as NotificationEvent[]);
    expect(requested.requested!.tags).toEqual({ invoice: '7' });
    expect(await queries.view(id, 0)).toMatchObject({ status: 'sent', tags: { invoice: '7' } });
  });

  test('its events are those of all channels, opened', async () => {
    const id = await notify();
    const events = (await queries.events(id))!;
    expect(events.map(({ type }) => type).filter((type) => type.endsWith('.sent.v1'))).toHaveLength(5);
    const message = events.find(({ type }) => type === 'slack.send-message.v1');
    expect(message!.data).toMatchObject({ channel: 'C024BE91L' });
    expect(events.filter(({ type }) => type === 'slack.upload-file.v1')).toHaveLength(2);
  });
});

describe('sent in part', () => {
  const outcomes = (view: NotificationView) =>
    flow.client
      .last(notificationEvents, view.id)
      .then((last) => (last!.data as { outcomes: OperationOutcome[] }).outcomes);

  test('the mail went out, Slack refused: sent on one, with what became of each operation', async () => {
    flow.services.slackTransport.failures.push(slackRefused(), slackRefused(), slackRefused());
    const view = await endOf(await notify());
    expect(view).toMatchObject({
      status: 'partiallySent',
      channels: {
        email: { status: 'sent' },
        slack: {
          status: 'failed',
          operations: [{ error: { reason: 'permanent', code: 'channel_not_found' } }, {}, {}],
        },
      },
    });
    expect((await outcomes(view)).map(({ channel, status, reason }) => [channel, status, reason])).toEqual([
      ['email', 'succeeded', null],
      ['slack', 'failed', 'permanent'],
      ['slack', 'failed', 'permanent'],
      ['slack', 'failed', 'permanent'],
    ]);
  });
  test('a channel that was delivered in part is not delivered, and says which operations went out', async () => {
    flow.services.transport.failures.push(mailRefused());
    flow.services.slackTransport.failures.push(undefined, slackRefused());
    const view = await endOf(await notify());
    expect(view).toMatchObject({
      status: 'failed',
      reason: 'couldNotSend',
      channels: { email: { status: 'failed' }, slack: { status: 'partiallySent' } },
    });
    expect(view.channels.slack!.operations.map(({ status }) => status)).toEqual(['succeeded', 'failed', 'succeeded']);
  });
  test('all refused: could not send', async () => {
    flow.services.transport.failures.push(mailRefused());
    flow.services.slackTransport.failures.push(slackRefused(), slackRefused(), slackRefused());
    expect(await endOf(await notify())).toMatchObject({ status: 'failed', reason: 'couldNotSend' });
  });
});

describe('not on both', () => {
  const failSlack = () => {
    const own = flow.services.steps;
    flow.services.steps = {
      ...own,
      prepare: {
        source: 'tidings',
        prepare: (request, audience, channel) =>
          channel.channel === 'slack'
            ? Promise.reject(new Error('canary: the text is too long for Slack'))
            : own.prepare.prepare(request, audience, channel),
      },
    };
  };

  test('one opted out of: sent on all others', async () => {
    const preferences = { default: { channels: ['slack' as const] } };
    await flow.putRecipient('user-42', { address: 'ada@example.com', slack: 'C024BE91L', preferences });
    const view = await endOf(await notify());
    expect(view).toMatchObject({
      status: 'sent',
      channels: { slack: { status: 'sent' }, email: { status: 'optedOut', reason: 'notChosen', operations: [] } },
    });
    expect(flow.services.transport.sent).toEqual([]);
  });
  test('one cannot be prepared, continue: the other is sent, and the failure is told to who may see it', async () => {
    failSlack();
    const view = await endOf(await notify());
    expect(view).toMatchObject({
      status: 'sent',
      channels: {
        email: { status: 'sent' },
        slack: { status: 'couldNotPrepare', failures: ['canary: the text is too long for Slack'], operations: [] },
      },
    });
    expect(JSON.stringify(await flow.stored())).not.toContain('canary');
  });
  test('one cannot be prepared, stop: nothing is enqueued', async () => {
    failSlack();
    flow.services.deliveryRules = { ...flow.services.deliveryRules, onChannelFailure: 'stop' };
    expect(await endOf(await notify())).toMatchObject({
      status: 'failed',
      reason: 'couldNotPrepare',
      channels: { email: { status: 'discarded' }, slack: { status: 'couldNotPrepare' } },
    });
    for (const category of ['notification.saga', 'email.operation', 'slack.operation']) {
      expect(await flow.dataOf(category)).toEqual([]);
    }
  });
  test('nobody can say who is told: failed, with the text, and the request is done', async () => {
    const resolveAudience = () => Promise.reject(new Error('the directory is on fire'));
    flow.services.steps = { ...flow.services.steps, audience: { source: 'directory', resolveAudience } };
    expect(await endOf(await notify())).toMatchObject({
      status: 'failed',
      reason: 'couldNotGetAudience',
      decision: {
        category: 'billing',
        severity: 'info',
        steps: [{ step: 'audience', source: 'directory', failures: ['the directory is on fire'] }],
      },
      channels: {},
    });
  });
});

test('an outcome after the deadline is shown at its operation, and changes nothing else', async () => {
  const id = await post();
  await flow.drive([sendBot, fanOutBot, sendEmailBot]);
  const saga = flow.run(deliverySagaHandler);
  const [started] = await saga.waiting();
  const waits = await saga.handle(started!);
  // The next delivery makes it look who has waited too long to go on without a timer.
  flow.advance(31_000);
  await post();
  await flow.drive([sendBot, fanOutBot]);
  for (const record of await saga.waiting()) await saga.handle(record);
  expect(await (waits as Deferred).settled).toBe(true);
  await saga.stop();
  await flow.fireTimer(`${id}.delivery-deadline`, id);
  await flow.drive([deliverySagaHandler, viewProjector]);
  const atDeadline = (await queries.view(id, 0))!;
  expect(atDeadline).toMatchObject({ status: 'partiallySent', channels: { slack: { status: 'failed' } } });
  expect(atDeadline.channels.slack!.operations).toMatchObject(
    Array(3).fill({ status: 'failed', inDoubt: true, late: false, error: { reason: 'deadline' } }),
  );
  await flow.drive();
  const after = await endOf(id);
  expect(after).toMatchObject({ status: 'partiallySent', completedAt: atDeadline.completedAt });
  expect(after.channels.email!.operations).toMatchObject([{ late: false }]);
  expect(after.channels.slack!.operations).toMatchObject(Array(3).fill({ late: true, error: { reason: 'expired' } }));
});

describe('torn off after any append', () => {
  /** The decision, saga, two operations, their claims and outcomes, end, snapshot and view. */
  const appendsOfARun = 11;

  test.each(Array.from({ length: appendsOfARun }, (_, left) => left))(
    '%i: once it is back there is one end, and no message more than there are claims',
    async (left) => {
      const id = await post({ content: { subject: 'Invoice 7', text: 'Please pay.' } });
      flow.tearAfter(left);
      await expect(flow.drive()).rejects.toThrow();
      flow.tearAfter();
      await flow.drive();
      const { transport, slackTransport } = flow.services;
      for (const [channel, { sent }] of Object.entries({ email: transport, slack: slackTransport })) {
        expect(sent.length).toBeLessThanOrEqual(
          (await flow.dataOf(`${channel}.event`, `${channel}.claimed.v1`)).length,
        );
        expect(await flow.dataOf(`${channel}.operation`)).toHaveLength(1);
      }
      expect(await flow.dataOf('notification.saga')).toHaveLength(1);
      expect(await endOf(id)).toMatchObject({ status: 'sent' });
    },
  );
});

test('the snapshot: none before the end; then the aggregate, opened', async () => {
  const id = await post();
  await flow.drive([sendBot, fanOutBot]);
  expect(await queries.snapshot(id)).toBeUndefined();
  expect(await queries.snapshot('not-an-id')).toBeUndefined();
  await flow.drive();
  const events = (await flow.client.read(notificationEvents, id)) as NotificationEvent[];
  expect(await queries.snapshot(id)).toEqual({
    foldVersion: 2,
    revision: String(events.length - 1),
    state: {
      ...JSON.parse(JSON.stringify(fold(notification, events))),
      requested: expect.objectContaining({ subject: 'Invoice 7' }),
    },
  });
});
