import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { NotificationView } from '#libs/notification';
import type { ViewView } from '#libs/operator';
import { eventually, readEvents, useServer, type StreamedEvent } from '../support/index.js';

type Row = NotificationView & { readonly recipientId: string };
type Event = StreamedEvent<Row>;

const server = useServer({ smtp: true, perTest: true });
const { api } = server;

beforeEach(async () => {
  await api.putRecipient('ada', 'ada@example.com');
  await api.putRecipient('bob', 'bob@example.com');
});

/** Follows a list; `act` is called once the stream has begun. */
async function follow(query: string, act: () => Promise<unknown>, until: (events: readonly Event[]) => boolean) {
  let acted: Promise<unknown> | undefined;
  const { events } = await readEvents<Row>(`${server.url}/v1/notifications?${query}`, {
    until: (found) => {
      acted ??= act();
      return until(found);
    },
  });
  await acted;
  return events;
}

/** A client that keeps the newest view of each notification, and comes back with the id that it has seen last. */
class Rows {
  readonly views = new Map<string, NotificationView>();
  lastEventId: string | undefined;

  constructor(private readonly query: string) {}

  async connect(reading: { bytes?: number; until?: (events: readonly Event[]) => boolean }): Promise<void> {
    const url = `${server.url}/v1/notifications?${this.query}`;
    const { events } = await readEvents<Row>(url, { ...reading, lastEventId: this.lastEventId });
    for (const { id, name, data } of events) {
      this.lastEventId = id;
      if (name === undefined && data !== undefined) this.views.set(data.id, data);
      if (name === 'left') this.views.delete(data!.id);
    }
  }
}

/** After how many bytes to cut so many connections; the same ones at every run. */
function cuts(count: number, max: number): number[] {
  return fc.sample(fc.integer({ min: 1, max }), { seed: 20_261, numRuns: count });
}

test('cut at random places while notifications change and the view is built anew: the newest state of each', async () => {
  const [all, sending] = [new Rows('recipientId=ada'), new Rows('status=sending')];
  for (const rows of [all, sending]) await rows.connect({ until: (found) => found.length > 0 });
  const ids: string[] = [];
  let isEnough = false;
  const producing = Promise.all(
    ['ada', 'bob', 'ada'].map(async (recipient) => {
      while (!isEnough) {
        const id = await api.notify(recipient);
        if (recipient === 'ada') ids.push(id);
        await api.finalView(id);
      }
    }),
  );
  const left = cuts(40, 3_000);
  for (const [turn, bytes] of left.entries()) {
    if (turn % 15 === 10) await api.request('POST', '/v1/views/notification.view:rebuild');
    await all.connect({ bytes });
    if (turn % 4 === 0) await sending.connect({ bytes });
  }
  isEnough = true;
  await producing;
  await eventually(async () => {
    const { body } = await api.request<ViewView>('GET', '/v1/views/notification.view');
    return body.rebuild === null || undefined;
  });
  const last = await api.notify('ada');
  await api.finalView(last);
  ids.push(last);
  for (const rows of [all, sending]) {
    await rows.connect({ until: (found) => found.some(({ data }) => data?.id === last && data.status !== 'sending') });
  }
  expect(ids.length).toBeGreaterThan(5);
  for (const id of ids) expect(all.views.get(id)).toEqual(await api.view(id));
  expect([...all.views.keys()].sort()).toEqual([...ids].sort());
  expect([...sending.views.values()]).toEqual([]);
}, 120_000);

describe('what a list is told of', () => {
  test('begins with where to resume, and shows what matches, as its id does', async () => {
    const content = { subject: 'Invoice 7', text: 'It is due.' };
    const events = await follow(
      'address=ADA@example.com&tag=invoice:7&channel=email&category=billing',
      async () => {
        await api.notify('bob', { content, tags: { invoice: '7' }, category: 'billing' });
        await api.notify('ada', { content, tags: { invoice: '8' }, category: 'billing' });
        await api.notify('ada', { content, tags: { invoice: '7' }, category: 'news' });
        await api.notify('ada', { content, tags: { invoice: '7' }, category: 'billing' });
      },
      (found) => found.at(-1)?.data?.status === 'sent',
    );
    expect(events[0]!.data).toBeUndefined();
    const rows = events.flatMap(({ data }) => data ?? []);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(1);
    expect(rows.at(-1)).toEqual(await api.view(rows[0]!.id));
    const positions = events.map(({ id }) => BigInt(id));
    expect(positions).toEqual([...positions].sort((a, b) => (a < b ? -1 : 1)));
  });

  test('what leaves it, and nothing of what was never in it', async () => {
    const deliverAt = new Date(Date.now() + 2_000).toISOString();
    const events = await follow(
      'status=scheduled',
      () => api.notify('ada', { deliverAt }),
      (found) => found.at(-1)?.name === 'left',
    );
    const [shown, gone] = events.filter(({ data }) => data !== undefined);
    expect(shown!.data).toMatchObject({ status: 'scheduled' });
    expect(gone).toMatchObject({ name: 'left', data: { id: shown!.data!.id } });

    server.smtp.behave({ at: 'recipient', recipient: 'bob@example.com', times: 1, reply: '550 5.1.1 no such user' });
    const failed = await follow(
      'status=failed',
      async () => {
        await api.finalView(await api.notify('ada'));
        await api.notify('bob');
      },
      (found) => found.at(-1)?.data !== undefined,
    );
    expect(failed.filter(({ data }) => data !== undefined)).toMatchObject([{ data: { recipientId: 'bob' } }]);
  });

  test('who was erased', async () => {
    const erase = async (): Promise<void> => {
      for (const id of ['ada', 'bob']) await api.request('DELETE', `/v1/recipients/${id}`);
    };
    const events = await follow('recipientId=bob', erase, (found) => found.at(-1)?.name === 'erased');
    const told = events.filter(({ data }) => data !== undefined);
    expect(told.map(({ name, data }) => [name, data])).toEqual([['erased', { recipientId: 'bob' }]]);
  });
});

test.each([
  ['limit=5', 'limit'],
  ['atLeast=1', 'atLeast'],
  [`cursor=${'0'.repeat(44)}`, 'cursor'],
  ['status=lost', 'status'],
])('refuses %s', async (query, path) => {
  const answer = await api.request('GET', `/v1/notifications?${query}`, undefined, { accept: 'text/event-stream' });
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } });
});

test('refuses to resume after what is not there', async () => {
  const headers = { accept: 'text/event-stream', 'last-event-id': '999999999' };
  const answer = await api.request('GET', '/v1/notifications', undefined, headers);
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'Last-Event-ID' }] } });
});

test('a server that stops ends the streams', async () => {
  let stopping: Promise<void> | undefined;
  const { ended } = await readEvents(`${server.url}/v1/notifications`, {
    until: () => {
      stopping ??= server.stop();
      return false;
    },
  });
  expect(ended).toBe(true);
  await stopping;
});
