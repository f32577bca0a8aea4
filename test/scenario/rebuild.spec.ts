import { beforeEach, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import type { NotificationView } from '#libs/notification';
import type { ViewView } from '#libs/operator';
import { StreamDeleted } from '#libs/store/port';
import { eventually, readEvents, useServer, withStore } from '../support/index.js';

const server = useServer({ smtp: true, perTest: true });
const { api } = server;

beforeEach(() => api.putRecipient('ada', 'ada@example.com'));

async function view(name: string): Promise<ViewView> {
  return (await api.request<ViewView>('GET', `/v1/views/${name}`)).body;
}

/** Has a view built anew and waits until that serves. */
async function rebuild(name: string): Promise<ViewView> {
  const { status, body } = await api.request<ViewView>('POST', `/v1/views/${name}:rebuild`);
  expect(status).toBe(202);
  return serving(name, body.rebuild?.version ?? body.version);
}

function serving(name: string, version: number): Promise<ViewView> {
  return eventually(async () => {
    const found = await view(name);
    return found.version >= version && found.rebuild === null ? found : undefined;
  });
}

function listed(query: string): Promise<readonly NotificationView[]> {
  return eventually(async () => {
    const answer = await api.request<{ items: NotificationView[] }>('GET', `/v1/notifications?${query}`);
    return answer.status === 200 ? answer.body.items : undefined;
  });
}

test('under traffic: nothing is answered worse or older, sent twice, or lost', async () => {
  await listed('limit=1');
  const ids: string[] = [];
  const accept = async (): Promise<void> => {
    const number = ids.length;
    ids.push(await api.notify('ada', { content: { subject: `number ${number}`, text: 'How are you?' } }));
  };
  for (let number = 0; number < 40; number += 1) await accept();
  const followed = await api.notify('ada', { deliverAt: new Date(Date.now() + 2_000).toISOString() });
  const live = readEvents<NotificationView>(`${server.url}/v1/notifications/${followed}`, {
    until: (found) => found.at(-1)?.data?.status === 'sent',
  });

  let isEnough = false;
  const statuses = new Set<number>();
  const seen = new Map<string, bigint>();
  async function read(): Promise<void> {
    for (let turn = 0; !isEnough; turn += 1) {
      const id = ids[turn % ids.length]!;
      const { status, body } = await api.request<NotificationView>('GET', `/v1/notifications/${id}`);
      const lists = await api.request('GET', `/v1/notifications?recipientId=ada&limit=5`);
      for (const one of [status, lists.status]) statuses.add(one);
      const position = BigInt(body.position);
      if (position < (seen.get(id) ?? 0n)) throw new Error(`${id} went back from ${seen.get(id)} to ${position}`);
      seen.set(id, position);
    }
  }
  const reading = Promise.all([read(), read()]);
  const posting = (async () => {
    while (!isEnough) await accept();
  })();
  const versions = [];
  for (let turn = 0; turn < 3; turn += 1) versions.push((await rebuild('notification.view')).version);
  await rebuild('query-index');
  const { body: waited } = await api.request<NotificationView>('GET', `/v1/notifications/${ids[0]}?wait=20`);
  isEnough = true;
  await Promise.all([reading, posting]);

  expect(versions).toEqual([2, 3, 4]);
  expect([...statuses]).toEqual([200]);
  expect(waited.status).toBe('sent');
  for (const id of ids) expect((await api.finalView(id)).status).toBe('sent');
  const { events } = await live;
  expect(events.at(-1)!.data).toEqual(await api.view(followed));
  const positions = events.map(({ id }) => BigInt(id));
  expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
  expect(server.smtp.mails.map(({ parsed }) => parsed.subject).sort()).toEqual(
    ['Hello', ...ids.map((_, number) => `number ${number}`)].sort(),
  );
  await eventually(async () => {
    const found = await listed('recipientId=ada&status=sent&limit=200');
    return found.length === Math.min(200, ids.length + 1) || undefined;
  });
}, 120_000);

test('a view that is wrong is right again, for its id and for what is found', async () => {
  const id = await api.notify('ada', { tags: { number: '1' } });
  const right = await api.finalView(id);
  await server.restart(() =>
    withStore(server.dataDir, async (store) => {
      const stream = `notification.view.1-${id}`;
      for await (const { data } of store.readStream(stream, { direction: 'backwards', limit: 1 })) {
        const wrong = { ...(data as NotificationView), status: 'failed', channels: {}, position: '999999' };
        await store.append(stream, 'any', [{ id: newId(), type: 'notification.view.v1', data: wrong }]);
      }
    }),
  );
  expect((await api.view(id)).status).toBe('failed');
  expect(await listed('status=failed')).toHaveLength(1);
  await rebuild('notification.view');
  expect(await api.view(id)).toEqual(right);
  await eventually(async () => (await listed('status=sent&address=ada@example.com')).length === 1 || undefined);
  await eventually(async () => (await listed('status=failed')).length === 0 || undefined);
  expect(await listed('tag=number:1')).toEqual([right]);

  // The version before is gone for ever, and only views were written.
  await eventually(async () => {
    const path = '/v1/events?category=runtime.version&type=runtime.version-removed.v1';
    return (await api.request<{ items: unknown[] }>('GET', path)).body.items.length === 1 || undefined;
  });
  await server.stop();
  await withStore(server.dataDir, async (store) => {
    const reading = async (): Promise<void> => {
      for await (const _ of store.readStream(`notification.view.1-${id}`)) throw new Error('it is there');
    };
    await expect(reading()).rejects.toThrow(StreamDeleted);
  });
}, 60_000);

test('a broadcast is counted as before', async () => {
  await api.putRecipient('bob', 'bob@example.com');
  const content = { subject: 'Hello', text: 'How are you?' };
  const body = { recipientIds: ['ada', 'bob', 'nobody'], content };
  const { body: accepted } = await api.request<{ href: string }>('POST', '/v1/notifications', body);
  const before = await api.request('GET', `${accepted.href}?wait=20`);
  expect(before.body).toMatchObject({ status: 'completed', counts: { sent: 2, failed: 1 } });
  await rebuild('broadcast.view');
  expect((await api.request('GET', accepted.href)).body).toEqual(before.body);
});

test('what there is, and what there is not', async () => {
  const { body } = await api.request<{ items: ViewView[] }>('GET', '/v1/views');
  expect(body.items.map(({ name, state, version }) => [name, state, version])).toEqual([
    ['broadcast.view', 'serving', 1],
    ['notification.view', 'serving', 1],
    ['query-index', 'serving', 1],
  ]);
  expect((await api.request('POST', '/v1/views/nothing:rebuild')).status).toBe(404);
  expect((await api.request('GET', '/v1/views/nothing')).status).toBe(404);
  // Nothing is built: nothing is given up.
  expect((await api.request('POST', '/v1/views/notification.view:cancel')).body).toMatchObject({ version: 1 });
});
