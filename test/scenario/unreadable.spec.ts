import { beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type RecordedEvent } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { useServer, withStore } from '../support/index.js';

type Fields = Readonly<Record<string, unknown>>;
type SealedProfile = { readonly channels: { readonly email: string } };

/** Stands in clear in records that cannot be read; must not be told outside of `/events`. */
const canary = 'canary-42';

/** Makes what stands after a good `recipient.put.v1` and cannot be read, from the data of that one. */
const unreadable: Readonly<Record<string, (good: SealedProfile) => { readonly type: string; readonly data: Fields }>> =
  {
    'of-an-unknown-type': () => ({ type: 'recipient.put.v9', data: { name: canary } }),
    'with-data-that-does-not-fit': (good) => ({ type: 'recipient.put.v1', data: { ...good, locale: { is: canary } } }),
    'with-a-broken-seal': (good) => withAddress(good, (sealed) => `${sealed.slice(0, -8)}AAAAAAAA`),
    'under-a-key-that-is-gone': (good) =>
      withAddress(good, (sealed) => sealed.replace(/^(sealed\.v1\.)[\w-]+/, '$1gone')),
  };

function withAddress(good: SealedProfile, change: (sealed: string) => string) {
  return { type: 'recipient.put.v1', data: { ...good, channels: { email: change(good.channels.email) } } };
}

const kinds = Object.keys(unreadable);
const uses = ['read', 'condition', 'put', 'erased', 'notified'];
const address = 'ada@example.com';
const recipientOf = (kind: string, use: string): string => `${kind}-${use}`;

const server = useServer();
const { api } = server;
/** Ids of notifications by recipient, sent while the recipient could be read. */
const sentTo = new Map<string, string>();
/** A notification with an event and a mail's event that cannot be read. */
let watched: string;
/** The same notification again, with a decision that cannot be read. */
const undecided = newId();
/** A notification of which nothing but an event stands that cannot be read. */
const lost = newId();

async function append(store: EventStore, stream: string, type: string, data: unknown): Promise<void> {
  await store.append(stream, 'any', [{ id: newId(), type, data }]);
}

async function damage(store: EventStore): Promise<void> {
  const records: RecordedEvent[] = [];
  for await (const record of store.readAll()) records.push(record);
  for (const { stream, type, data } of records) {
    const kind = kinds.find((one) => stream.startsWith(`recipient.event-${one}`));
    if (kind === undefined || type !== 'recipient.put.v1') continue;
    const bad = unreadable[kind]!(data as SealedProfile);
    await append(store, stream, bad.type, bad.data);
  }
  await append(store, 'recipient.event-erased-by-a-newer-version', 'recipient.erased.v9', { keys: canary });

  const { stream: emails } = records.find(({ type }) => type === 'email.sent.v1')!;
  await append(store, `notification.event-${watched}`, 'notification.snoozed.v9', { until: canary });
  await append(store, emails, 'email.sent.v1', { attempt: canary });

  for (const { stream, type, data } of records) {
    if (!stream.endsWith(watched)) continue;
    const copy = stream.replace(watched, undecided);
    if (type === 'notification.prepared.v1') await append(store, copy, type, { ...(data as Fields), operations: 7 });
    if (type === 'notification.delivery-started.v1') await append(store, copy, type, data);
  }
  await append(store, `notification.event-${lost}`, 'notification.requested.v9', { who: canary });
}

beforeAll(async () => {
  await api.putRecipient('watched', address);
  watched = await api.notify('watched');
  await api.finalView(watched);
  for (const id of [
    ...kinds.flatMap((kind) => uses.map((use) => recipientOf(kind, use))),
    'erased-by-a-newer-version',
  ]) {
    await api.putRecipient(id, address);
    sentTo.set(id, await api.notify(id));
  }
  for (const id of sentTo.values()) expect((await api.finalView(id)).status).toBe('sent');
  await server.restart(() => withStore(server.dataDir, damage));
});

/** What a reader is told instead. */
function problemAt(stream: string, revision: number) {
  return {
    type: '/problems/unreadable-record',
    title: 'A stored record cannot be read',
    status: 500,
    detail: `revision ${revision} of ${stream} cannot be read`,
    stream,
    revision,
  };
}

const put = (id: string, headers: Readonly<Record<string, string>> = {}) =>
  api.request('PUT', `/v1/recipients/${id}`, { channels: { email: { address } } }, headers);

describe.each(kinds)('a recipient whose last record cannot be read: %s', (kind) => {
  test('GET says which record it is, and not what it holds', async () => {
    const id = recipientOf(kind, 'read');
    const { status, headers, body } = await api.request('GET', `/v1/recipients/${id}`);
    expect([status, headers.get('content-type')]).toEqual([500, 'application/problem+json']);
    expect(body).toEqual(problemAt(`recipient.event-${id}`, 1));
  });

  test('PUT replaces it', async () => {
    const id = recipientOf(kind, 'put');
    expect(await put(id)).toMatchObject({ status: 200, body: { channels: { email: { address } } } });
    expect(await api.request('GET', `/v1/recipients/${id}`)).toMatchObject({ status: 200, body: { id } });
    expect((await api.finalView(await api.notify(id))).status).toBe('sent');
  });

  test('PUT replaces it on condition of its revision', async () => {
    const id = recipientOf(kind, 'condition');
    expect((await put(id, { 'if-match': '"0"' })).status).toBe(412);
    expect((await put(id, { 'if-match': '"1"' })).status).toBe(200);
  });

  test('DELETE erases the recipient', async () => {
    const id = recipientOf(kind, 'erased');
    const sent = sentTo.get(id)!;
    expect((await api.view(sent)).subject).toBe('Hello');
    for (let times = 0; times < 2; times += 1) {
      const answer = await api.request('DELETE', `/v1/recipients/${id}`);
      expect(answer).toMatchObject({ status: 200, body: { id, erased: true } });
    }
    expect((await api.view(sent)).subject).toBe('[erased]');
    expect((await api.request('GET', `/v1/recipients/${id}`)).status).toBe(404);
    expect((await api.finalView(await api.notify(id))).reason).toBe('recipientErased');
    expect((await put(id)).status).toBe(201);
    expect((await api.view(sent)).subject).toBe('[erased]');
  });

  test('a notification ends', async () => {
    const reasons: Readonly<Record<string, string>> = {
      'with-a-broken-seal': 'couldNotSend',
      'under-a-key-that-is-gone': 'recipientErased',
    };
    const { status, reason } = await api.finalView(await api.notify(recipientOf(kind, 'notified')));
    expect([status, reason]).toEqual(['failed', reasons[kind] ?? 'recipientUnreadable']);
  });
});

test('the notification says which record of its recipient cannot be read, and not what it holds', async () => {
  const recipientId = recipientOf('with-data-that-does-not-fit', 'notified');
  const id = await api.notify(recipientId);
  await api.finalView(id);
  const items = await api.events(id);
  const { data } = items.find(({ type }) => type === 'notification.failed.v1')!;
  expect(data).toMatchObject({
    reason: 'recipientUnreadable',
    error: `revision 1 of recipient.event-${recipientId} cannot be read`,
  });
  expect(JSON.stringify(items)).not.toContain(canary);
});

test('an erasure by a newer version is one: there is no recipient, and who is put gets a new key', async () => {
  const id = 'erased-by-a-newer-version';
  expect((await api.request('GET', `/v1/recipients/${id}`)).status).toBe(404);
  expect((await api.finalView(await api.notify(id))).reason).toBe('recipientErased');
  expect((await put(id)).status).toBe(201);
  expect((await api.view(sentTo.get(id)!)).subject).toBe('[erased]');
  expect((await api.finalView(await api.notify(id))).status).toBe('sent');
});

describe('a notification with a record that cannot be read', () => {
  test('all of its records are shown, that one as it is stored and marked', async () => {
    const items = await api.events(watched);
    const marked = items.filter((item) => item.unreadable !== undefined);
    expect(marked).toMatchObject([
      {
        type: 'notification.snoozed.v9',
        stream: `notification.event-${watched}`,
        data: { until: canary },
        unreadable: expect.stringContaining('unknown type'),
      },
      { type: 'email.sent.v1', data: { attempt: canary }, unreadable: expect.stringContaining('attempt') },
    ]);
    const others = items.filter((item) => !marked.includes(item));
    expect(others.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['notification.send.v1', 'notification.prepared.v1', 'email.send.v1', 'email.claimed.v1']),
    );
    expect(others.find(({ type }) => type === 'notification.requested.v1')!.data['subject']).toBe('Hello');
  });

  test('the records of its mails are found by the saga where the decision cannot be read', async () => {
    const items = await api.events(undecided);
    expect(items.map(({ type }) => type)).toEqual(expect.arrayContaining(['email.send.v1', 'email.claimed.v1']));
    const decision = items.find(({ type }) => type === 'notification.prepared.v1')!;
    expect(decision.unreadable).toContain('operations');
  });

  test('GET shows the view that was written before it', async () => {
    expect(await api.view(watched)).toMatchObject({ id: watched, status: 'sent' });
  });

  test('GET says which record it is where there is no view', async () => {
    const { status, body } = await api.request('GET', `/v1/notifications/${lost}`);
    expect(status).toBe(500);
    expect(body).toEqual(problemAt(`notification.event-${lost}`, 0));
    expect((await api.events(lost)).map(({ type, data }) => [type, data])).toEqual([
      ['notification.requested.v9', { who: canary }],
    ]);
  });
});
