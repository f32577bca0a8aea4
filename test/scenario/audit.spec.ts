import { beforeAll, describe, expect, test } from '@jest/globals';
import type { EventsPage } from '#libs/audit';
import { categoryOf } from '#libs/kernel';
import { readEvents, readStore, useServer, withStore, type EventItem } from '../support/index.js';

const canary = 'canary.address@audit.example.com';
const badStream = 'notification.clientOperation-0197a000-0000-7000-8000-00000000bad0';

const server = useServer({ start: false });
const { api } = server;
/** Of somebody who is known, and of somebody who was erased. */
let id: string;
let erasedId: string;

beforeAll(async () => {
  await withStore(server.dataDir, (store) =>
    store.append(badStream, 'noStream', [
      { id: '0197a000-0000-7000-8000-000000000001', type: 'notification.send.v99', data: { recipientId: 'ada' } },
    ]),
  );
  await server.start();
  await api.putRecipient('ada', 'ada@example.com', { displayName: 'Ada' });
  await api.putRecipient('gone', canary, { displayName: 'Canary Display Name' });
  [id, erasedId] = await Promise.all([api.notify('ada'), api.notify('gone')]);
  await Promise.all([api.finalView(id), api.finalView(erasedId)]);
  await api.request('DELETE', '/v1/recipients/gone');
});

async function lines(query = ''): Promise<EventItem[]> {
  const { status, headers, body } = await api.request<string>('GET', `/v1/events${query}`, undefined, {
    accept: 'application/x-ndjson',
  });
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('application/x-ndjson');
  return body
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as EventItem);
}

async function pages(query: string): Promise<EventItem[]> {
  const items: EventItem[] = [];
  for (let after: string | null = '0'; after !== null;) {
    const { body }: { body: EventsPage } = await api.request<EventsPage>('GET', `/v1/events?${query}&after=${after}`);
    items.push(...(body.items as readonly EventItem[]));
    after = body.nextCursor;
  }
  return items;
}

describe('an auditor', () => {
  test('sees the same in pages, in lines and live: what the store holds', async () => {
    const all = await lines();
    expect(await pages('limit=7')).toEqual(all);
    const end = all.at(-1)!.position;
    const { events } = await readEvents<EventItem>(`${server.url}/v1/events`, {
      until: (found) => found.some((event) => event.id === end),
    });
    expect(events.flatMap(({ data }) => data ?? []).filter(({ position }) => BigInt(position) <= BigInt(end))).toEqual(
      all,
    );

    await server.stop();
    const history = (await readStore(server.dataDir)).filter(
      ({ stream }) => !/^runtime\.|\.view\.|\.snapshot$/.test(categoryOf(stream)),
    );
    await server.start();
    expect(all.map((item) => [item.position, item.stream, item.revision, item.id, item.type, item.metadata])).toEqual(
      history.map((record) => [
        String(record.position),
        record.stream,
        Number(record.revision),
        record.id,
        record.type,
        record.metadata,
      ]),
    );
  });

  test('sees a flow as its notification shows it', async () => {
    const ofNotification = (await api.events(id)).filter(({ stream }) => categoryOf(stream) !== 'runtime.timer');
    expect(await lines(`?correlationId=${id}`)).toEqual(ofNotification);
    const both = await lines(`?correlationId=${id}&correlationId=${erasedId}&type=notification.sent.v1`);
    expect(both.map(({ stream }) => stream).sort()).toEqual(
      [`notification.event-${id}`, `notification.event-${erasedId}`].sort(),
    );
  });

  test('sees views and the runtime where the category names them', async () => {
    const views = await lines(`?category=notification.view.1&correlationId=${id}`);
    expect(views.at(-1)!.data).toEqual(await api.view(id));
    const parked = await lines('?category=runtime.parked&type=runtime.record-parked.v1');
    expect(parked.map(({ data }) => (data.record as { stream: string }).stream)).toEqual([badStream]);
  });

  test('sees a record that cannot be read as it is stored, with the reason', async () => {
    const [bad] = await lines(`?stream=${badStream}`);
    expect(bad).toMatchObject({ data: { recipientId: 'ada' }, unreadable: expect.stringMatching('unknown type') });
    expect((await lines()).filter(({ unreadable }) => unreadable !== undefined)).toEqual([bad]);
  });

  test('sees who is known, and that somebody was erased, but not who', async () => {
    const text = JSON.stringify([await lines(), await lines('?category=notification.view.1')]);
    expect(text).toContain('ada@example.com');
    expect(text).not.toContain(canary);
    expect(text).not.toContain('Canary Display Name');
    const [put] = await lines('?stream=recipient.event-gone&type=recipient.put.v1');
    expect(put!.data).toMatchObject({ displayName: '[erased]', channels: { email: '[erased]' } });
  });

  test('is told up to where nothing was found, and reads on from there', async () => {
    const { body } = await api.request<EventsPage>('GET', '/v1/events?type=none.v1');
    expect(body).toEqual({ items: [], nextCursor: null, after: expect.stringMatching(/^\d+$/) });
    const later = await api.notify('ada');
    await api.finalView(later);
    const since = await lines(`?after=${body.after}&category=notification.event`);
    expect(since.map(({ type }) => type)).toEqual([
      'notification.requested.v1',
      'notification.prepared.v1',
      'notification.sent.v1',
    ]);
    const { body: page } = await api.request<EventsPage>('GET', `/v1/events?cursor=${body.after}&limit=1`);
    expect(page.items[0]).toMatchObject({ stream: `notification.clientOperation-${later}` });
  });
});
