import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ProblemDocument } from '#libs/http';
import { categoryOf } from '#libs/kernel';
import { foldView, type NotificationView, type ViewSource } from '#libs/notification';
import { useServer, type EventItem } from '../support/index.js';

const server = useServer({ smtp: true });
const { api } = server;

function asOf<Body>(path: string, moment: string | bigint) {
  return api.request<Body>('GET', `${path}?asOf=${moment}`);
}

describe('a notification', () => {
  let id: string;
  let records: readonly EventItem[];

  beforeAll(async () => {
    const channels = { email: { address: 'ada@example.com' }, slack: { channel: 'C024BE91L' } };
    await api.request('PUT', '/v1/recipients/ada', { channels });
    server.smtp.behave({ at: 'data', times: 1, reply: '451 4.3.0 try later' });
    id = await api.notify('ada', { tags: { invoice: '7' } });
    expect((await api.finalView(id)).status).toBe('sent');
    records = await api.events(id);
  });

  /** The view made from these records alone. */
  function folded(items: readonly EventItem[]): NotificationView | undefined {
    const sources = items.filter(({ stream }) => /^(notification|email|slack)\.event$/.test(categoryOf(stream)));
    return foldView(
      sources.map(
        (item) =>
          ({
            ...item,
            revision: BigInt(item.revision),
            position: BigInt(item.position),
            created: Date.parse(item.occurredAt),
            checked: true,
          }) as unknown as ViewSource,
      ),
    );
  }

  test('at each of its records is what those up to there make it', async () => {
    const statuses = new Set<string>();
    for (const { position } of records) {
      const { status, body } = await asOf<NotificationView>(`/v1/notifications/${id}`, position);
      expect(status).toBe(200);
      const expected = folded(records.filter((record) => BigInt(record.position) <= BigInt(position)));
      expect(body).toEqual(expected ?? { ...body, status: 'requested', channels: {}, revision: 0 });
      statuses.add(`${body.status} ${body.channels.email?.operations[0]?.status ?? '-'}`);
    }
    expect([...statuses]).toEqual(
      [
        'requested -',
        'sending pending',
        'sending sending',
        'sending retrying',
        'sending sending',
        'sending succeeded',
        'sent succeeded',
      ].filter((status, index, all) => all.indexOf(status) === index),
    );
  });

  test('at the time of each of its records is what those up to then make it', async () => {
    for (const { occurredAt } of records) {
      const expected = folded(records.filter((record) => record.occurredAt <= occurredAt));
      const { body } = await asOf<NotificationView>(`/v1/notifications/${id}`, occurredAt);
      if (expected !== undefined) expect(body).toEqual(expected);
      else expect(body).toMatchObject({ status: 'requested', position: records[0]!.position });
    }
  });

  test('is as it is now at every moment since, and at those to come', async () => {
    const now = await api.view(id);
    for (const moment of [records.at(-1)!.position, '9000000000000000000', '9999-12-31T23:59:59Z']) {
      expect((await asOf(`/v1/notifications/${id}`, moment)).body).toEqual(now);
    }
  });

  test('did not exist before', async () => {
    const [first] = records;
    const before = new Date(Date.parse(first!.occurredAt) - 1).toISOString();
    for (const moment of [BigInt(first!.position) - 1n, before]) {
      const { status, body } = await asOf<ProblemDocument>(`/v1/notifications/${id}`, moment);
      expect(status).toBe(404);
      expect(body.detail).toBe('the notification did not exist yet at that moment');
    }
  });
});

describe('a recipient', () => {
  const path = '/v1/recipients/eve';

  async function put(address: string): Promise<string> {
    const body = { displayName: 'Eve', locale: 'en', channels: { email: { address } } };
    return (await api.request('PUT', path, body)).headers.get('tidings-position')!;
  }

  test('is as it was put then; erased, it stays erased in the past too', async () => {
    const [first, second] = [await put('first@example.com'), await put('second@example.com')];
    const known = { id: 'eve', displayName: 'Eve', locale: 'en' };
    const atFirst = await asOf(path, first);
    expect(atFirst.body).toMatchObject({ ...known, channels: { email: { address: 'first@example.com' } } });
    expect(atFirst.headers.get('etag')).toBe('"0"');
    expect(atFirst.headers.get('tidings-position')).toBe(first);
    expect((await asOf(path, BigInt(second) - 1n)).body).toEqual(atFirst.body);
    expect((await asOf(path, second)).body).toMatchObject({ channels: { email: { address: 'second@example.com' } } });
    expect((await asOf(path, BigInt(first) - 1n)).status).toBe(404);

    const erased = (await api.request('DELETE', path)).headers.get('tidings-position')!;
    const third = await put('third@example.com');
    for (const moment of [first, second]) {
      expect((await asOf(path, moment)).body).toEqual({
        id: 'eve',
        displayName: '[erased]',
        locale: 'en',
        timeZone: null,
        channels: { email: { address: '[erased]' } },
        preferences: null,
      });
    }
    const gone = await asOf<ProblemDocument>(path, erased);
    expect([gone.status, gone.body.detail]).toEqual([404, 'there was no such recipient at that moment']);
    expect((await asOf(path, third)).body).toMatchObject({ channels: { email: { address: 'third@example.com' } } });
    expect((await asOf(path, new Date().toISOString())).body).toEqual((await api.request('GET', path)).body);
  });
});
