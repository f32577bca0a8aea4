import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sendEmailBot } from '#libs/channel/email';
import { SandboxSlackTransport, sendSlackBot } from '#libs/channel/slack';
import { groupClient, groupEvents } from '#libs/group';
import { correlationOf } from '#libs/kernel';
import {
  deliverySagaHandler,
  escalationReactor,
  fanOutBot,
  notificationEvents,
  notificationInternalOperations,
  notificationViews,
  retentionReactor,
  sendBot,
  viewProjector,
  type PostToManyDto,
} from '#libs/notification';
import { fixedVersion, openClient, runtimeTimers, type AnyHandler, type ClientContext } from '#libs/runtime';
import { NotificationFlow, type StoredRecord } from '#libs/testing/flow';
import { BroadcastAcceptor } from '../http/accept.js';
import { broadcastClient } from '../http/broadcast-client.js';
import { BroadcastQueries } from '../http/queries.js';
import { memberNotificationId, pageSize } from '../operations/internal.js';
import { broadcastViews } from '../view/broadcast-view.js';
import { broadcastFanOutBot } from './fan-out.bot.js';
import { broadcastRetentionReactor } from './retention.reactor.js';
import { broadcastSendBot } from './send.bot.js';
import { broadcastViewProjector } from './view.projector.js';

const broadcastHandlers: readonly AnyHandler[] = [
  broadcastSendBot,
  broadcastFanOutBot,
  broadcastViewProjector,
  broadcastRetentionReactor,
];
const allHandlers: readonly AnyHandler[] = [
  ...broadcastHandlers,
  sendBot,
  fanOutBot,
  sendEmailBot,
  deliverySagaHandler,
  viewProjector,
];
const content = { subject: 'Fire drill', text: 'At noon.' };

let flow: NotificationFlow;
let groups: ClientContext<typeof groupEvents, typeof groupEvents>;
let acceptor: BroadcastAcceptor;
let queries: BroadcastQueries;
beforeEach(async () => {
  flow = await NotificationFlow.open();
  groups = openClient(flow.store, groupClient);
  const client = openClient(flow.store, broadcastClient, fixedVersion(1));
  acceptor = new BroadcastAcceptor({ ...flow.services, client });
  queries = new BroadcastQueries({ ...flow.services, client });
});
afterEach(async () => {
  queries.stopWaiting();
  await flow.close();
});

async function post(to: Partial<PostToManyDto>): Promise<string> {
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  return (await acceptor.accept({ content, ...to }, request)).id;
}

async function makeGroup(id: string, ...members: string[]): Promise<void> {
  await groups.append(
    groupEvents,
    id,
    'noStream',
    [
      { type: 'group.created.v1', data: { name: null } },
      { type: 'group.members-changed.v1', data: { added: members, removed: [] } },
    ],
    { correlationId: id },
  );
}

/** Somebody who is told, somebody who does not want to be, and somebody whom nobody knows. */
async function putThreeKinds(): Promise<readonly string[]> {
  await flow.putRecipient('ada', { address: 'ada@example.com' });
  await flow.putRecipient('bo', { address: 'bo@example.com', preferences: { default: { channels: [] } } });
  return ['ada', 'bo', 'nobody'];
}

const ended = new Set(['sent', 'failed', 'opted-out', 'expired'].map((end) => `notification.${end}.v1`));

/** Each member has one notification with one end, and the view has counted it. */
async function expectEachOnce(id: string, members: number): Promise<void> {
  const records = (await flow.stored()).filter(({ stream }) => stream.startsWith(`${notificationEvents.category}-`));
  const ids = Array.from({ length: members }, (_, ordinal) => memberNotificationId(id, ordinal)).sort();
  const streamsOf = (wanted: (record: StoredRecord) => boolean) =>
    records.filter(wanted).map(({ stream }) => stream.replace(`${notificationEvents.category}-`, ''));
  expect(streamsOf(({ type }) => type === 'notification.requested.v1').sort()).toEqual(ids);
  expect(streamsOf(({ type }) => ended.has(type)).sort()).toEqual(ids);
  const { counts, status } = (await queries.view(id, 0))!;
  const { pending, ...ends } = counts;
  expect({ status, pending, ends: Object.values(ends).reduce((sum, count) => sum + count) }).toEqual({
    status: 'completed',
    pending: 0,
    ends: members,
  });
}

test('everybody named is told in their own way, and the overview counts how it ended', async () => {
  const id = await post({ recipientIds: [...(await putThreeKinds())] });
  expect(await queries.view(id, 0)).toMatchObject({ status: 'accepted', recipients: 3, counts: { pending: 3 } });
  await flow.drive(allHandlers);

  const view = await queries.view(id, 0);
  expect(view).toMatchObject({
    id,
    status: 'completed',
    recipients: 3,
    counts: { pending: 0, sent: 1, partiallySent: 0, failed: 1, optedOut: 1, cancelled: 0, expired: 0 },
    groupId: null,
    groupRevision: null,
    subject: 'Fire drill',
  });
  expect(view).not.toHaveProperty('progress');
  expect(flow.services.transport.sent.map(({ to }) => to.map(({ address }) => address))).toEqual([['ada@example.com']]);
  await expectEachOnce(id, 3);

  const { items } = (await queries.notifications(id, 0, 10))!;
  expect(items.map(({ recipientId }) => recipientId)).toEqual(['ada', 'bo', 'nobody']);
  const views = await Promise.all(
    items.map(async (item) => (await flow.client.last(notificationViews, item.id))!.data),
  );
  expect(views.map(({ status, reason, broadcastId }) => [status, reason, broadcastId])).toEqual([
    ['sent', null, id],
    ['optedOut', 'optedOut', id],
    ['failed', 'unknownRecipient', id],
  ]);
});

test('every record of a member’s flow says which broadcast it belongs to', async () => {
  const id = await post({ recipientIds: [...(await putThreeKinds())] });
  await flow.drive(allHandlers);
  const member = memberNotificationId(id, 0);
  const own = (await flow.stored()).filter((record) => correlationOf(record as never) === member);
  expect(own.length).toBeGreaterThan(8);
  for (const { metadata } of own) expect(metadata).toMatchObject({ broadcastId: id, broadcastOrdinal: 0 });
});

describe('a group', () => {
  test('is told as it is when the broadcast is taken up', async () => {
    await makeGroup('board', 'ada', 'bo');
    const id = await post({ groupId: 'board' });
    await flow.drive([broadcastSendBot]);
    await groups.append(
      groupEvents,
      'board',
      1n,
      [{ type: 'group.members-changed.v1', data: { added: ['cy'], removed: ['ada'] } }],
      { correlationId: 'board' },
    );
    await flow.drive(allHandlers);
    expect(await queries.view(id, 0)).toMatchObject({ groupId: 'board', groupRevision: '1', recipients: 2 });
    const { items, next } = (await queries.notifications(id, 0, 10))!;
    expect([items.map(({ recipientId }) => recipientId), next]).toEqual([['ada', 'bo'], undefined]);
    await expectEachOnce(id, 2);
  });
  test.each([
    ['that does not exist', 'unknownGroup', undefined],
    ['without members', 'emptyGroup', []],
  ])('%s fails the broadcast', async (_, reason, members) => {
    if (members !== undefined) await makeGroup('board', ...members);
    const id = await post({ groupId: 'board' });
    await flow.drive(allHandlers);
    expect(await queries.view(id, 0)).toMatchObject({ status: 'failed', reason, recipients: 0 });
    expect(await queries.notifications(id, 0, 10)).toEqual({ items: [], next: undefined });
  });
});

test('more members than a page has are told page by page', async () => {
  const members = Array.from({ length: 2 * pageSize + 1 }, (_, index) => `user-${index}`);
  await makeGroup('all', ...members);
  const id = await post({ groupId: 'all' });
  await flow.drive([...broadcastHandlers, sendBot]);
  await expectEachOnce(id, members.length);
  const pages = await flow.dataOf<{ page: number; firstOrdinal: number }>('broadcast.internalOperation');
  expect(pages.map(({ page, firstOrdinal }) => [page, firstOrdinal])).toEqual([
    [0, 0],
    [1, pageSize],
    [2, 2 * pageSize],
  ]);
  const { items, next } = (await queries.notifications(id, pageSize - 1, 2))!;
  expect([items.map(({ recipientId }) => recipientId), next]).toEqual([
    members.slice(pageSize - 1, pageSize + 1),
    pageSize + 1,
  ]);
}, 60_000);

test('torn off anywhere, and however often, each member has one notification and counts once', async () => {
  await putThreeKinds();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }), async (tears) => {
      // Whatever stands from the runs before is driven again, too.
      const before = (await flow.dataOf('broadcast.clientOperation')).length;
      const id = await post({ recipientIds: ['ada', 'bo', 'nobody', `user-${before}`] });
      for (const left of tears) {
        flow.tearAfter(left);
        await flow.drive(allHandlers).catch(() => {});
      }
      flow.tearAfter();
      await flow.drive(allHandlers);
      const view = (await queries.view(id, 0))!;
      expect(view.counts).toMatchObject({ sent: 1, optedOut: 1, failed: 2, pending: 0 });
      const all = await flow.stored();
      for (let ordinal = 0; ordinal < 4; ordinal += 1) {
        const own = all.filter(({ stream }) => stream === `notification.event-${memberNotificationId(id, ordinal)}`);
        expect(own.filter(({ type }) => ended.has(type))).toHaveLength(1);
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);

test('counting again from the first record on, the view stays as it is', async () => {
  const id = await post({ recipientIds: [...(await putThreeKinds())] });
  await flow.drive(allHandlers);
  const client = openClient(flow.store, broadcastClient, fixedVersion(1));
  const before = await client.last(broadcastViews, id);
  await flow.drive([broadcastViewProjector]);
  expect(await client.last(broadcastViews, id)).toEqual(before);
});

test('the team is told of a member who could not be told, as of any notification', async () => {
  Object.assign(flow.services, { teamEmail: { address: 'team@example.org' } });
  const id = await post({ recipientIds: ['nobody'] });
  await flow.drive([...allHandlers, escalationReactor]);
  const operations = await flow.client.read(notificationInternalOperations, memberNotificationId(id, 0));
  expect(operations.map(({ type }) => type)).toEqual(['notification.send.v1', 'notification.notify-internal-team.v1']);
});

describe('personal data', () => {
  test('of an erased member is unreadable, that of the others is not', async () => {
    const id = await post({ recipientIds: [...(await putThreeKinds())] });
    await flow.drive(allHandlers);
    await flow.eraseRecipient('ada');
    const subjectOf = async (ordinal: number) => {
      const view = await flow.client.last(notificationViews, memberNotificationId(id, ordinal));
      return (await flow.services.vault.openDeep(view!.data)).subject;
    };
    expect([await subjectOf(0), await subjectOf(2)]).toEqual(['[erased]', 'Fire drill']);
  });
  test('is nowhere in clear', async () => {
    await post({ recipientIds: [...(await putThreeKinds())] });
    await flow.drive(allHandlers);
    const stored = JSON.stringify(await flow.stored());
    for (const text of ['Fire drill', 'At noon.', 'ada@example.com']) expect(stored).not.toContain(text);
  });
});

test('what a broadcast said is unreadable some time after its end, also where nothing of it is a blob', async () => {
  const id = await post({ recipientIds: [...(await putThreeKinds())] });
  await flow.drive(allHandlers);
  await flow.fireTimer(`${id}.broadcast-retention`, id);
  await flow.drive([broadcastRetentionReactor]);
  expect(await queries.view(id, 0)).toMatchObject({ status: 'completed', subject: '[erased]', counts: { sent: 1 } });
  const view = await flow.client.last(notificationViews, memberNotificationId(id, 0));
  expect((await flow.services.vault.openDeep(view!.data)).subject).toBe('Fire drill');
});

test('taken up long after its time, it is not removed while its members are still to come to an end', async () => {
  const id = await post({ recipientIds: ['ada'] });
  flow.advance(1_000 * 3_600_000);
  await flow.drive([broadcastSendBot]);
  const [timer] = await flow.client.read(runtimeTimers, `${id}.broadcast-retention`);
  expect((timer!.data as { dueAt: number }).dueAt).toBeGreaterThan(flow.now());
});

test('the end of one member leaves what stands once for all of them', async () => {
  await flow.putRecipient('ada', { address: 'ada@example.com' });
  await flow.putRecipient('bo', { slack: 'CBO' });
  const sandbox = new SandboxSlackTransport();
  Object.assign(flow.services, { slackTransport: sandbox });
  const file = { fileName: 'plan.txt', mediaType: 'text/plain', content: Buffer.from('Go out.').toString('base64') };
  const id = await post({
    recipientIds: ['ada', 'bo'],
    content: { subject: 'Plan', text: 'x'.repeat(30_000), attachments: [file] },
  });
  await flow.drive([...allHandlers, sendSlackBot, retentionReactor]);
  await expectEachOnce(id, 2);
  const [operation] = await flow.dataOf<{ blobs: { keyId: string; id: string }[] }>('broadcast.clientOperation');
  const [ada, bo] = [memberNotificationId(id, 0), memberNotificationId(id, 1)];
  expect(await flow.client.read(runtimeTimers, `${ada}.retention`)).toEqual([]);
  // The sandbox has kept what was said to Bo: that goes, and nothing else.
  await flow.fireTimer(`${bo}.retention`, bo);
  await flow.drive([retentionReactor]);
  expect(operation!.blobs).toHaveLength(2);
  for (const blob of operation!.blobs) expect(await flow.services.blobs.get(blob)).toBeDefined();
});

test('large content and attachments stand in blobs once, and are removed when every member must have ended', async () => {
  await flow.putRecipient('ada', { address: 'ada@example.com' });
  await flow.putRecipient('bo', { address: 'bo@example.com' });
  const file = { fileName: 'plan.txt', mediaType: 'text/plain', content: Buffer.from('Go out.').toString('base64') };
  const id = await post({
    recipientIds: ['ada', 'bo'],
    content: { subject: 'Plan', text: 'x'.repeat(30_000), attachments: [file] },
  });
  await flow.drive(allHandlers);
  const { sent } = flow.services.transport;
  expect(sent.map(({ attachments }) => attachments?.map(({ content: bytes }) => bytes.toString()))).toEqual([
    ['Go out.'],
    ['Go out.'],
  ]);

  const [operation] = await flow.dataOf<{ blobs: { keyId: string; id: string }[] }>('broadcast.clientOperation');
  const found = () =>
    Promise.all(operation!.blobs.map(async (blob) => (await flow.services.blobs.get(blob)) !== undefined));
  expect(await found()).toEqual([true, true]);
  await flow.fireTimer(`${id}.broadcast-retention`, id);
  await flow.drive([broadcastRetentionReactor]);
  expect(await found()).toEqual([false, false]);
});
