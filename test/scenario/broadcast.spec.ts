import { beforeAll, describe, expect, test } from '@jest/globals';
import type { NotificationView } from '#libs/notification';
import { useServer, type Accepted, type Answer } from '../support/index.js';

interface Broadcast {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly recipients: number | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly subject: string;
  readonly groupRevision: string | null;
  readonly completedAt: string | null;
}

interface List<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

const server = useServer({ smtp: true });
const { api } = server;

beforeAll(async () => {
  await api.putRecipient('ada', 'ada@example.com');
  await api.putRecipient('bo', 'bo@example.com');
  await api.putRecipient('cy', 'cy@example.com', { preferences: { default: { channels: [] } } });
});

function post(subject: string, to: object, headers: Record<string, string> = {}): Promise<Answer<Accepted>> {
  return api.request<Accepted>('POST', '/v1/notifications', { ...to, content: { subject, text: 'Hello' } }, headers);
}

async function completed({ body: { href } }: Answer<Accepted>): Promise<Broadcast> {
  return (await api.request<Broadcast>('GET', `${href}?wait=20`)).body;
}

function toldOf(subject: string): string[] {
  return server.smtp.mails
    .filter(({ parsed }) => parsed.subject === subject)
    .flatMap(({ envelope }) => envelope.to)
    .sort();
}

async function makeGroup(id: string, ...add: string[]): Promise<void> {
  await api.request('PUT', `/v1/groups/${id}`, {});
  await api.request('POST', `/v1/groups/${id}/members`, { add });
}

describe('several recipients', () => {
  test('are told one by one', async () => {
    const answer = await post('several', { recipientIds: ['ada', 'bo', 'cy', 'nobody'] });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      id: expect.any(String),
      status: 'accepted',
      href: `/v1/broadcasts/${answer.body.id}`,
    });
    expect(answer.headers.get('location')).toBe(answer.body.href);
    expect(await completed(answer)).toMatchObject({
      id: answer.body.id,
      status: 'completed',
      recipients: 4,
      counts: { pending: 0, sent: 2, partiallySent: 0, failed: 1, optedOut: 1, cancelled: 0, expired: 0 },
      subject: 'several',
    });
    expect(toldOf('several')).toEqual(['ada@example.com', 'bo@example.com']);
  });

  test('have a notification each, listed page by page', async () => {
    const answer = await post('listed', { recipientIds: ['ada', 'bo', 'nobody'] });
    await completed(answer);
    const path = `${answer.body.href}/notifications?limit=2`;
    const { body: first } = await api.request<List<{ id: string; recipientId: string }>>('GET', path);
    const { body: second } = await api.request<typeof first>('GET', `${path}&cursor=${first.nextCursor}`);
    const items = [...first.items, ...second.items];
    expect(items.map(({ recipientId }) => recipientId)).toEqual(['ada', 'bo', 'nobody']);
    expect([first.items.length, second.nextCursor]).toEqual([2, null]);
    const views = await Promise.all(items.map(({ id }) => api.view(id)));
    expect(views.map(({ recipientId, broadcastId }: NotificationView) => [recipientId, broadcastId])).toEqual(
      items.map(({ recipientId }) => [recipientId, answer.body.id]),
    );
  });

  test('with an idempotency key are told once', async () => {
    const to = { recipientIds: ['ada', 'bo'] };
    const headers = { 'idempotency-key': 'several' };
    const first = await post('once', to, headers);
    await completed(first);
    const second = await post('once', to, headers);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await post('once', { recipientIds: ['ada'] }, headers)).status).toBe(422);
    expect((await post('once', { recipientId: 'ada' }, headers)).status).toBe(422);
    expect(toldOf('once')).toEqual(['ada@example.com', 'bo@example.com']);
  });
});

describe('a group', () => {
  test('is made, changed, read and deleted', async () => {
    const put = (headers: Record<string, string>) => api.request('PUT', '/v1/groups/crew', { name: 'Crew' }, headers);
    const created = await put({});
    expect([created.status, created.headers.get('etag'), created.body]).toEqual([
      201,
      '"0"',
      { id: 'crew', name: 'Crew', count: 0 },
    ]);
    expect((await put({ 'if-match': '"0"' })).status).toBe(200);
    const changed = await api.request('POST', '/v1/groups/crew/members', { add: ['cy', 'ada', 'bo'], remove: ['dee'] });
    expect([changed.status, changed.headers.get('etag'), changed.body.count]).toEqual([200, '"1"', 3]);
    const late = await api.request('POST', '/v1/groups/crew/members', { remove: ['bo'] }, { 'if-match': '"0"' });
    expect(late.status).toBe(412);

    const { body: first } = await api.request<List<object>>('GET', '/v1/groups/crew/members?limit=2');
    const rest = `/v1/groups/crew/members?limit=2&cursor=${first.nextCursor}`;
    const page = await api.request('GET', rest, undefined, { 'if-match': changed.headers.get('etag')! });
    expect(page.headers.get('etag')).toBe(changed.headers.get('etag'));
    const moved = await api.request('GET', rest, undefined, { 'if-match': '"0"' });
    expect([page.status, moved.status]).toEqual([200, 412]);
    const { body: second } = await api.request<List<object>>('GET', rest);
    expect([...first.items, ...second.items]).toEqual(['ada', 'bo', 'cy'].map((recipientId) => ({ recipientId })));
    expect(second.nextCursor).toBeNull();

    const deleted = await api.request('DELETE', '/v1/groups/crew');
    expect([deleted.status, deleted.body]).toEqual([200, { id: 'crew', deleted: true }]);
    expect((await api.request('GET', '/v1/groups/crew')).status).toBe(404);
  });

  test('is told as it was when the broadcast was taken up, whatever becomes of it', async () => {
    await makeGroup('board', 'ada', 'bo');
    const answer = await post('board', { groupId: 'board' });
    await completed(answer);
    await api.request('POST', '/v1/groups/board/members', { add: ['nobody'], remove: ['ada'] });
    expect(await completed(answer)).toMatchObject({ status: 'completed', recipients: 2, groupRevision: '1' });
    const { body } = await api.request<List<{ recipientId: string }>>('GET', `${answer.body.href}/notifications`);
    expect(body.items.map(({ recipientId }) => recipientId)).toEqual(['ada', 'bo']);
    expect(toldOf('board')).toEqual(['ada@example.com', 'bo@example.com']);
  });

  test('that does not exist fails the broadcast, not the request', async () => {
    const answer = await post('nobody', { groupId: 'no such group' });
    expect(answer.status).toBe(202);
    expect(await completed(answer)).toMatchObject({ status: 'failed', reason: 'unknownGroup', recipients: 0 });
  });
});

test('at its time, and not before', async () => {
  const deliverAt = new Date(Date.now() + 2_000).toISOString();
  const answer = await post('later', { recipientIds: ['ada', 'cy'], deliverAt });
  const broadcast = await completed(answer);
  expect(broadcast).toMatchObject({ status: 'completed', counts: { sent: 1, optedOut: 1 } });
  expect(broadcast.completedAt! >= deliverAt).toBe(true);
  expect(toldOf('later')).toEqual(['ada@example.com']);
});

test('a member who was erased fails with the reason, and the others are told', async () => {
  await api.putRecipient('eve', 'eve@example.com');
  await makeGroup('some', 'ada', 'eve');
  await api.request('DELETE', '/v1/recipients/eve');
  const answer = await post('erased', { groupId: 'some' });
  expect(await completed(answer)).toMatchObject({ counts: { sent: 1, failed: 1 } });
  const { body } = await api.request<List<{ id: string }>>('GET', `${answer.body.href}/notifications`);
  expect(await api.view(body.items[1]!.id)).toMatchObject({ status: 'failed', reason: 'recipientErased' });
});
