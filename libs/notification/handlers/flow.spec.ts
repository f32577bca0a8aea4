import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmailFailure, emailEvents, emailOperations, sendEmailBot } from '#libs/channel/email';
import {
  declaredCategoryOf,
  fold,
  parse,
  type Metadata,
  type RecordedEvent,
  type StreamDefinition,
} from '#libs/kernel';
import { erasureReactor, recipientEvents } from '#libs/recipient';
import { fixedVersion, Runtime, type AnyHandler } from '#libs/runtime';
import { eventually } from '#libs/testing';
import { NotificationFlow } from '#libs/testing/flow';
import { isTerminal, notification, notificationEvents, type NotificationEvent } from '../event/notification.js';
import { accept } from '../http/accept.js';
import type { PostToOneDto } from '../http/post-notification.dto.js';
import { notificationClientOperations } from '../operations/client.js';
import { notificationSagas } from '../saga/delivery.js';
import { notificationSnapshots } from '../snapshot/notification-snapshot.js';
import { foldView, readHistory } from '../view/history.js';
import { notificationViews, type NotificationView } from '../view/notification-view.js';
import { deliverySagaHandler } from './delivery.saga-handler.js';
import { fanOutBot } from './fan-out.bot.js';
import { sendBot } from './send.bot.js';
import { viewProjector } from './view.projector.js';

const dto: PostToOneDto = {
  recipientId: 'user-42',
  category: 'billing',
  content: { subject: 'Invoice 7', text: 'Please pay.', html: '<p>Please pay.</p>' },
  about: { entityType: 'invoice', entityId: '7' },
  tags: { invoice: '7' },
};

let flow: NotificationFlow;
beforeEach(async () => {
  flow = await NotificationFlow.open();
});
afterEach(() => flow.close());

async function post(more: Partial<PostToOneDto> = {}): Promise<string> {
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  const { id } = await accept({ ...flow.services, client: flow.client }, { ...dto, ...more }, request);
  return id;
}

async function statusOf(id: string): Promise<string> {
  return fold(notification, (await flow.client.read(notificationEvents, id)) as NotificationEvent[]).status;
}

async function viewOf(id: string): Promise<NotificationView | undefined> {
  return (await flow.client.last(notificationViews, id))?.data;
}

/** One event that ends it, the view and the snapshot agree with it, and to go through all of it again changes nothing. */
async function expectEnd(id: string, status: string): Promise<void> {
  const events = (await flow.client.read(notificationEvents, id)) as NotificationEvent[];
  const ends = events.filter((_, index) => isTerminal(fold(notification, events.slice(0, index + 1)).status));
  expect(ends).toHaveLength(1);
  expect(await statusOf(id)).toBe(status);
  expect(await viewOf(id)).toEqual(foldView(await readHistory(flow.client, id)));
  const snapshots = (await flow.stored()).filter(({ stream }) => stream === `notification.snapshot-${id}`);
  expect(snapshots.map(({ data }) => data)).toEqual([
    {
      foldVersion: 2,
      revision: String(events.length - 1),
      state: JSON.parse(JSON.stringify(fold(notification, events))),
    },
  ]);
  const before = await flow.stored();
  await flow.drive();
  expect(await flow.stored()).toEqual(before);
}

const handlers: AnyHandler[] = [sendBot, fanOutBot, sendEmailBot, deliverySagaHandler, viewProjector, erasureReactor];

describe('handled again from the first record on, as after a crash before any checkpoint', () => {
  const runs: Record<string, () => Promise<void>> = {
    sent: async () => {
      await flow.putRecipient('user-42', { address: 'ada@example.com' });
      await post();
    },
    'failed after two attempts': async () => {
      await flow.putRecipient('user-42', { address: 'ada@example.com' });
      const busy = new EmailFailure('busy', { stage: 'send', kind: 'transient', code: 451 });
      flow.services.transport.failures.push(busy, new EmailFailure('no', { stage: 'send', kind: 'permanent' }));
      await post();
    },
    'unknown recipient': async () => void (await post()),
    'opted out': async () => {
      await flow.putRecipient('user-42', { preferences: { default: { channels: [] } } });
      await post();
    },
    scheduled: async () => {
      await flow.putRecipient('user-42', { address: 'ada@example.com' });
      await post({ deliverAt: new Date(flow.now() + 60_000).toISOString() });
    },
    expired: async () => void (await post({ expiresAt: '2020-01-01T00:00:00Z' })),
    erased: async () => {
      await flow.putRecipient('user-42', { address: 'ada@example.com' });
      await post();
      await flow.eraseRecipient('user-42');
    },
  };
  test.each(Object.entries(runs))('%s: no handler writes anything new', async (_, run) => {
    await run();
    await flow.drive();
    const before = await flow.stored();
    for (const handler of handlers) {
      await flow.drive([handler]);
      expect(await flow.stored()).toEqual(before);
    }
  });
});

describe('ends', () => {
  test('sent', async () => {
    await flow.putRecipient('user-42', { address: 'ada@example.com', name: 'Ada' });
    const id = await post();
    await flow.drive();
    expect(flow.services.transport.sent).toMatchObject([
      { to: [{ address: 'ada@example.com', name: 'Ada' }], subject: 'Invoice 7', text: 'Please pay.' },
    ]);
    await expectEnd(id, 'sent');
  });
  test('failed, for a recipient nobody knows', async () => {
    const id = await post();
    await flow.drive();
    await expectEnd(id, 'failed');
    expect((await viewOf(id))!.reason).toBe('unknownRecipient');
  });
  test('opted out, without a saga or an operation', async () => {
    await flow.putRecipient('user-42', { address: 'ada@example.com', preferences: { default: { channels: [] } } });
    const id = await post();
    await flow.drive();
    await expectEnd(id, 'optedOut');
    expect(await flow.dataOf('notification.saga')).toEqual([]);
    expect(await flow.dataOf('email.operation')).toEqual([]);
  });
  test('expired at once, where its time is over before it may be sent', async () => {
    const inAnHour = new Date(flow.now() + 3_600_000).toISOString();
    const inTwo = new Date(flow.now() + 7_200_000).toISOString();
    const id = await post({ deliverAt: inTwo, expiresAt: inAnHour });
    await flow.drive();
    await expectEnd(id, 'expired');
  });
  test('sent at once, where its time has come before it was asked for', async () => {
    await flow.putRecipient('user-42', { address: 'ada@example.com' });
    const id = await post({ deliverAt: '2020-01-01T00:00:00Z' });
    await flow.drive();
    await expectEnd(id, 'sent');
  });
  test('sent at its time', async () => {
    await flow.putRecipient('user-42', { address: 'ada@example.com' });
    const deliverAt = new Date(flow.now() + 60_000).toISOString();
    const id = await post({ deliverAt });
    await flow.drive();
    expect(await viewOf(id)).toMatchObject({ status: 'scheduled', deliverAt });
    expect(flow.services.transport.sent).toEqual([]);
    await flow.fireTimer(`${id}.deliver-at`, id);
    await flow.drive();
    expect(flow.services.transport.sent).toHaveLength(1);
    await expectEnd(id, 'sent');
  });
  test('failed at its time, where the recipient was erased meanwhile', async () => {
    await flow.putRecipient('user-42', { address: 'ada@example.com' });
    const id = await post({ deliverAt: new Date(flow.now() + 60_000).toISOString() });
    await flow.drive();
    await flow.eraseRecipient('user-42');
    await flow.fireTimer(`${id}.deliver-at`, id);
    await flow.drive();
    await expectEnd(id, 'failed');
    expect((await viewOf(id))!.reason).toBe('recipientErased');
  });
  test('scheduled for ever, with every record valid', async () => {
    await flow.putRecipient('user-42', { address: 'ada@example.com' });
    const id = await post({ deliverAt: '9999-12-31T23:59:59-12:00' });
    await flow.drive();
    expect(await viewOf(id)).toMatchObject({ status: 'scheduled', deliverAt: '9999-12-31T23:59:59.999Z' });
  });
});

test('under the runtime it comes to the same, and a restart changes nothing', async () => {
  const failures: unknown[] = [];
  const sendUnderTheRuntime = async (): Promise<string> => {
    const runtime = new Runtime({
      store: flow.store,
      topology: { streams: [], handlers },
      services: flow.services,
      roles: new Set(['bot', 'reactor', 'sagaHandler', 'projector']),
      views: fixedVersion(1),
      log: { failed: (...failure) => failures.push(failure), stopped: (...failure) => failures.push(failure) },
    });
    await runtime.start();
    try {
      const id = await post();
      await eventually(async () => (await viewOf(id))?.status === 'sent');
      return id;
    } finally {
      await runtime.drain();
    }
  };
  const recordsOf = async (id: string) =>
    (await flow.stored()).filter(({ metadata }) => (metadata as Metadata).$correlationId === id);
  await flow.putRecipient('user-42', { address: 'ada@example.com' });
  const id = await sendUnderTheRuntime();
  const before = await recordsOf(id);
  await sendUnderTheRuntime();
  expect(await recordsOf(id)).toEqual(before);
  expect(flow.services.transport.sent).toHaveLength(2);
  expect(failures).toEqual([]);
});

describe('torn off after any append', () => {
  /** The decision, saga, mail operation, claim, outcome, end, snapshot and view. */
  const appendsOfARun = 8;

  test.each(Array.from({ length: appendsOfARun + 1 }, (_, left) => left))(
    '%i: once it is back there is one end, and a second mail only as a visible attempt 2',
    async (left) => {
      await flow.putRecipient('user-42', { address: 'ada@example.com' });
      const id = await post();
      flow.tearAfter(left);
      const died = await flow.drive().then(
        () => false,
        () => true,
      );
      flow.tearAfter();
      await flow.drive();
      expect(died).toBe(left < appendsOfARun);

      const { sent } = flow.services.transport;
      const claims = await flow.dataOf<{ attempt: number }>('email.event', 'email.claimed.v1');
      expect(sent.length).toBeLessThanOrEqual(claims.length);
      expect(claims.map(({ attempt }) => attempt)).toEqual(claims.map((_, index) => index + 1));
      expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(1);
      expect(await flow.dataOf('notification.saga')).toHaveLength(1);
      expect(await flow.dataOf('email.operation')).toHaveLength(1);
      await expectEnd(id, 'sent');
    },
  );
});

describe('what stands in the store', () => {
  const canaries = ['canary-ada@example.com', 'Canary Name', 'canary-subject', 'canary-text', 'canary-html'];
  const more = ['canary-cc@example.com', 'canary-file.txt', 'canary-reply'];
  const definitions: readonly StreamDefinition[] = [
    recipientEvents,
    notificationClientOperations,
    notificationEvents,
    notificationSagas,
    notificationViews,
    notificationSnapshots,
    emailOperations,
    emailEvents,
  ];

  async function runWithCanaries(): Promise<void> {
    await flow.putRecipient('user-42', { address: canaries[0]!, name: canaries[1]! });
    const content = { subject: canaries[2]!, text: canaries[3]!, html: canaries[4]! };
    const email = { cc: [{ address: more[0]!, name: null }], priority: null };
    const attachments = [
      { fileName: more[1]!, mediaType: 'text/plain', content: Buffer.from('canary-bytes').toString('base64') },
    ];
    const failure = { stage: 'send', kind: 'transient', conversation: [`S: 451 ${more[2]!}`] } as const;
    flow.services.transport.failures.push(new EmailFailure(`451 ${canaries[0]!} ${more[2]!}`, failure));
    await post({ content: { ...content, email, attachments } });
    await post({ content: { ...content, text: canaries[3]!.repeat(5_000) } });
    flow.services.transport.failures.push(undefined, new EmailFailure(canaries[0]!, { ...failure, kind: 'permanent' }));
    await post({ content });
    await post({ content, deliverAt: new Date(flow.now() + 60_000).toISOString() });
    await post({ content, expiresAt: '2020-01-01T00:00:00Z' });
    await flow.drive();
    await flow.putRecipient('user-43', { address: canaries[0]!, preferences: { default: { channels: [] } } });
    await post({ recipientId: 'user-43', content });
    await post({ content });
    await flow.drive([sendBot, fanOutBot]);
    await flow.eraseRecipient('user-42');
    await flow.drive();
  }

  test('fits its definition, also when it comes from the disk', async () => {
    await runWithCanaries();
    const types = new Set<string>();
    for (const record of await flow.stored()) {
      const definition = definitions.find(({ category }) => category === declaredCategoryOf(record.stream));
      if (record.stream.startsWith('runtime.')) continue;
      types.add(parse(definition!, record as unknown as RecordedEvent).type);
    }
    expect([...types].sort()).toEqual([
      'email.attempt-failed.v1',
      'email.claimed.v1',
      'email.failed.v1',
      'email.send.v1',
      'email.sent.v1',
      'notification.delivery-started.v1',
      'notification.expired.v1',
      'notification.failed.v1',
      'notification.opted-out.v1',
      'notification.prepared.v1',
      'notification.requested.v1',
      'notification.scheduled.v1',
      'notification.send.v1',
      'notification.sent.v1',
      'notification.snapshot.v1',
      'notification.view.v1',
      'recipient.erased.v1',
      'recipient.put.v1',
    ]);
  });

  test('holds no personal data in clear', async () => {
    await runWithCanaries();
    expect(flow.services.transport.sent[0]).toMatchObject({
      cc: [{ address: more[0] }],
      attachments: [{ fileName: more[1] }],
    });
    const texts = JSON.stringify(await flow.stored());
    for (const canary of [...canaries, ...more, 'canary']) {
      expect(texts).not.toContain(canary);
      expect(texts).not.toContain(Buffer.from(canary).toString('base64url'));
    }
  });
});
