import { beforeAll, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NotificationView } from '#libs/notification';
import { eventsAreElsewhere, eventually, useServer } from '../support/index.js';

interface List<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

interface Mail {
  readonly id: string;
  readonly notificationId: string;
  readonly to: string;
  readonly status: string;
}

const server = useServer({ smtp: true });
const { api } = server;
/** Ids by the name that this spec has for them, in the order in which they were posted. */
const ids: Record<string, string> = {};
let position: string;
let middle: string;

async function post(name: string, recipientId: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const content = { subject: name, text: 'How are you?' };
  const answer = await api.request<{ id: string }>('POST', '/v1/notifications', { recipientId, content, ...more });
  ids[name] = answer.body.id;
  position = answer.headers.get('tidings-position')!;
  await api.finalView(answer.body.id);
}

/** Once the lists are there: right after the start they may be made still. */
async function list<Item>(path: string): Promise<List<Item>> {
  return eventually(async () => {
    const answer = await api.request<List<Item>>('GET', path);
    if (answer.status === 503) return undefined;
    if (answer.status !== 200) throw new Error(JSON.stringify(answer));
    return answer.body;
  });
}

/** Names of the notifications that a list shows, all that was posted so far being in. */
async function listed(query: string): Promise<readonly string[]> {
  const { items } = await list<NotificationView>(`/v1/notifications?${query}&atLeast=${position}`);
  return items.map(({ subject }) => subject);
}

beforeAll(async () => {
  await api.putRecipient('ada', 'Ada@Example.com');
  await api.putRecipient('bob', 'bob@example.com');
  await api.request('PUT', '/v1/recipients/cat', { channels: { slack: { channel: 'C024BE91L' } } });
  await api.putRecipient('hermit', 'hermit@example.com', { preferences: { default: { channels: [] } } });
  await post('invoice', 'ada', { category: 'billing', severity: 'info', tags: { invoice: '7', kind: 'a' } });
  await post('reminder', 'ada', { category: 'billing', severity: 'warning', tags: { invoice: '7', kind: 'b:c' } });
  middle = new Date().toISOString();
  await post('hello', 'bob', { category: 'news' });
  await post('slack', 'cat', { category: 'news', severity: 'critical' });
  await post('nobody', 'nobody', {});
  await post('unwanted', 'hermit', {});
  server.smtp.behave({ at: 'recipient', recipient: 'bob@example.com', times: 1, reply: '550 5.1.1 no such user' });
  await post('refused', 'bob', { category: 'billing' });
});

test('all of them, newest first, as each of them is shown by its id', async () => {
  expect(await listed('')).toEqual(['refused', 'unwanted', 'nobody', 'slack', 'hello', 'reminder', 'invoice']);
  const { items } = await list<NotificationView>('/v1/notifications?recipientId=ada');
  for (const item of items) expect(item).toEqual(await api.view(item.id));
});

test.each([
  ['recipientId=ada', ['reminder', 'invoice']],
  ['address=ada@example.com', ['reminder', 'invoice']],
  ['address=ADA@EXAMPLE.COM', ['reminder', 'invoice']],
  ['address=C024BE91L', ['slack']],
  ['address=nobody@example.com', []],
  ['channel=slack', ['slack']],
  ['channel=email', ['refused', 'hello', 'reminder', 'invoice']],
  ['status=failed', ['refused', 'nobody']],
  ['status=optedOut', ['unwanted']],
  ['category=news', ['slack', 'hello']],
  ['severity=critical', ['slack']],
  ['tag=invoice:7', ['reminder', 'invoice']],
  ['tag=invoice:7&tag=kind:b:c', ['reminder']],
  ['broadcastId=0197a000-0000-7000-8000-000000000000', []],
  ['category=billing&status=sent&severity=info', ['invoice']],
  ['address=bob@example.com&status=failed&channel=email', ['refused']],
])('by %s', async (query, names) => {
  expect(await listed(query)).toEqual(names);
});

test('by time', async () => {
  expect(await listed(`to=${middle}`)).toEqual(['reminder', 'invoice']);
  expect(await listed(`from=${middle}&category=news`)).toEqual(['slack', 'hello']);
  const { requestedAt } = await api.view(ids['hello']!);
  expect(await listed(`from=${requestedAt}&category=news`)).toEqual(['slack', 'hello']);
  expect(await listed(`to=${requestedAt}&category=news`)).toEqual([]);
});

describe('what emails went to an address', () => {
  test('each with its notification and what became of it', async () => {
    const { items } = await list<Mail>('/v1/emails?to=ada@example.com');
    expect(items).toHaveLength(2);
    const view = await api.view(ids['invoice']!);
    const { to, ...operation } = view.channels.email!.operations[0]!;
    expect(items[1]).toEqual({
      ...operation,
      notificationId: ids['invoice'],
      recipientId: 'ada',
      subject: 'invoice',
      tags: { invoice: '7', kind: 'a' },
      requestedAt: view.requestedAt,
      to: 'Ada@Example.com',
    });
    expect(to).toBe('Ada@Example.com');
  });

  test.each([
    ['', ['bob@example.com', 'bob@example.com', 'Ada@Example.com', 'Ada@Example.com']],
    ['status=failed', ['bob@example.com']],
    ['to=bob@example.com&status=succeeded', ['bob@example.com']],
    ['to=nobody@example.com', []],
  ])('filtered by %s', async (query, addresses) => {
    const { items } = await list<Mail>(`/v1/emails?${query}&atLeast=${position}`);
    expect(items.map(({ to }) => to)).toEqual(addresses);
  });

  test('by time', async () => {
    expect((await list<Mail>(`/v1/emails?until=${middle}`)).items.map(({ to }) => to)).toEqual(
      Array(2).fill('Ada@Example.com'),
    );
    expect((await list<Mail>(`/v1/emails?since=${middle}&to=ada@example.com`)).items).toEqual([]);
  });

  test('and what was posted to a Slack channel', async () => {
    const { items } = await list('/v1/slack-messages?channel=C024BE91L&status=succeeded');
    expect(items).toMatchObject([
      { type: 'SendSlackMessage', channel: 'C024BE91L', notificationId: ids['slack'], message: expect.any(String) },
    ]);
    expect((await list('/v1/slack-messages?channel=C000')).items).toEqual([]);
  });
});

describe('page by page', () => {
  test('every notification once, also while others come in', async () => {
    const names: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page: List<NotificationView> = await list<NotificationView>(
        `/v1/notifications?category=billing&limit=1${query}`,
      );
      names.push(...page.items.map(({ subject }) => subject));
      cursor = page.nextCursor;
      pages += 1;
      if (pages === 1) await post('in between', 'ada', { category: 'billing' });
    } while (cursor !== null);
    expect(names).toEqual(['refused', 'reminder', 'invoice']);
    expect(pages).toBe(3);
    expect((await listed('category=billing')).length).toBe(4);
  });

  test('every mail once', async () => {
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: List<Mail> = await list<Mail>(`/v1/emails?limit=2${query}`);
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(found).toEqual((await list<Mail>('/v1/emails')).items.map(({ id }) => id));
  });
});

test('what was accepted is listed once atLeast is reached, in whatever state', async () => {
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const content = { subject: 'later', text: 'How are you?' };
  const body = { recipientId: 'ada', content, category: 'later', deliverAt: later };
  const accepted = await api.request('POST', '/v1/notifications', body);
  position = accepted.headers.get('tidings-position')!;
  expect(await listed('category=later&status=scheduled')).toEqual(['later']);
});

test('readiness tells of the index', async () => {
  const ready = await api.request('GET', '/health/ready');
  expect(ready.body).toMatchObject({
    checks: { queryIndex: { status: 'up', detail: expect.stringMatching(/^live, /) } },
  });
});

test('erased, a person is not found by the address any more', async () => {
  await api.putRecipient('eve', 'eve@example.com');
  await post('to eve', 'eve');
  expect(await listed('address=eve@example.com')).toEqual(['to eve']);
  const erased = await api.request('DELETE', '/v1/recipients/eve');
  expect(erased.status).toBe(200);
  await eventually(async () => ((await listed('address=eve@example.com')).length === 0 ? true : undefined));
  expect(await listed('recipientId=eve')).toEqual(['[erased]']);
  const { items } = await list<Mail>('/v1/emails?limit=1');
  expect(items).toMatchObject([{ to: '[erased]', subject: '[erased]' }]);
});

describe('the same is listed', () => {
  let before: readonly string[];
  beforeAll(async () => {
    before = await listed('');
  });

  test('after a restart', async () => {
    await server.restart();
    expect(await listed('')).toEqual(before);
  });

  // Elsewhere it takes keys and blobs that several machines share: shared-stores.spec has that.
  if (!eventsAreElsewhere)
    test('by a process that only serves the API, as far as the others have come', async () => {
      await server.stop();
      await server.start({ ...server.settings, TIDINGS_ROLES: 'api' });
      expect(await listed('')).toEqual(before);
    });

  test('after the index was deleted', async () => {
    await server.restart(() => rm(join(server.dataDir, 'query-index'), { recursive: true }));
    expect(await listed('')).toEqual(before);
    expect(await listed('address=eve@example.com')).toEqual([]);
    expect(await listed('tag=invoice:7')).toEqual(['reminder', 'invoice']);
  });

  test('after a kill in the middle of work', async () => {
    const accepted = await Promise.all(Array.from({ length: 20 }, () => api.notify('ada', { category: 'killed' })));
    await server.kill();
    await server.start();
    for (const id of accepted) await api.finalView(id);
    await eventually(async () => ((await listed('category=killed&status=sent')).length === 20 ? true : undefined));
    expect((await listed('')).slice(20)).toEqual(before);
  });
});
