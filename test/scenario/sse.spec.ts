import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AuditModule } from '#libs/audit';
import { createHttpApp } from '#libs/http';
import { categoryOf, newId, type RecordedEvent } from '#libs/kernel';
import type { NotificationView } from '#libs/notification';
import { defineTopology, stream } from '#libs/runtime';
import { TemporaryStore, toyEvents, toyOperations } from '#libs/testing';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { readEvents, readStore, useServer, type EventItem, type StreamedEvent } from '../support/index.js';

/** A client that comes back with the id that it has seen last. */
class Follower {
  readonly received: EventItem[] = [];
  private lastEventId: string | undefined;

  constructor(private readonly url: string) {}

  async connect(reading: Parameters<typeof readEvents<EventItem>>[1]): Promise<void> {
    const { events } = await readEvents<EventItem>(this.url, { ...reading, lastEventId: this.lastEventId });
    this.received.push(...events.flatMap(({ data }) => data ?? []));
    this.lastEventId = events.at(-1)?.id ?? this.lastEventId;
  }
}

/** After how many bytes to cut so many connections; the same ones at every run. */
function cuts(count: number, max: number): number[] {
  return fc.sample(fc.integer({ min: 1, max }), { seed: 20_261, numRuns: count });
}

/** No gap, no duplicate, no other order. */
function expectSame(received: readonly EventItem[], stored: readonly RecordedEvent[], end: bigint): void {
  const expected = stored.filter(({ position }) => position <= end);
  const found = received.filter(({ position }) => BigInt(position) <= end);
  expect(found.map(({ position }) => position)).toEqual(expected.map(({ position }) => String(position)));
  expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
}

function hasReached(position: string | bigint): (events: readonly StreamedEvent<unknown>[]) => boolean {
  return (events) => BigInt(events.at(-1)?.id ?? 0) >= BigInt(position);
}

test('cut at 1,000 random places while records come, and resumed each time: no gap, no duplicate', async () => {
  const opened = await TemporaryStore.open();
  const { store } = opened;
  const topology = defineTopology([
    stream(toyOperations, { producers: [], consumers: [] }),
    stream(toyEvents, { producers: [], consumers: [] }),
  ]);
  const app = await createHttpApp(AuditModule.with({ store, topology, vault: new Vault(new MemoryKeyStore()) }), {
    logger: false,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `${await app.getUrl()}/v1/events?category=toy.event`;

  let isEnough = false;
  /** Records for the followers, and others between them. */
  async function produce(): Promise<void> {
    const event = (type: string) => ({ id: newId(), type, data: { n: 1 } });
    while (!isEnough) {
      await store.appendAll([
        { stream: 'toy.event-1', expected: 'any', events: [event('toy.done.v1'), event('toy.done.v1')] },
        { stream: 'toy.operation-1', expected: 'any', events: [event('toy.do.v1')] },
        { stream: 'toy.event-2', expected: 'any', events: [event('toy.done.v1')] },
      ]);
    }
  }
  const producing = produce();
  const left = cuts(1_000, 1_500);
  const followers = Array.from({ length: 4 }, () => new Follower(url));
  await Promise.all(
    followers.map(async (follower) => {
      for (let bytes = left.pop(); bytes !== undefined; bytes = left.pop()) await follower.connect({ bytes });
    }),
  );
  isEnough = true;
  await producing;
  const end = await store.head();
  for (const follower of followers) await follower.connect({ until: hasReached(end) });

  const stored: RecordedEvent[] = [];
  for await (const record of store.readAll({ filter: { categories: ['toy.event'] } })) stored.push(record);
  expect(stored.length).toBeGreaterThan(500);
  for (const { received } of followers) expectSame(received, stored, end);
  await app.close();
  await opened.remove();
});

describe('a server', () => {
  const server = useServer({ perTest: true });
  const { api } = server;

  beforeEach(() => api.putRecipient('ada', 'ada@example.com'));

  /** Everything up to here is in the store now. */
  async function head(): Promise<string> {
    return (await api.request<{ after: string }>('GET', '/v1/events?type=none.v1')).body.after;
  }

  /** What is part of the history in the store. */
  async function storedHistory(): Promise<RecordedEvent[]> {
    return (await readStore(server.dataDir)).filter(({ stream }) =>
      /\.(clientOperation|internalOperation|operation|saga|event)$/.test(categoryOf(stream)),
    );
  }

  describe('the records of all streams', () => {
    test('cut at random places while a flow goes on, and resumed each time: as they stand in the store', async () => {
      const follower = new Follower(`${server.url}/v1/events`);
      let isEnough = false;
      async function produce(): Promise<void> {
        while (!isEnough) await api.finalView(await api.notify('ada'));
      }
      const producing = produce();
      for (const bytes of cuts(50, 4_000)) await follower.connect({ bytes });
      isEnough = true;
      await producing;
      const end = await head();
      await follower.connect({ until: hasReached(end) });
      await server.stop();
      expectSame(follower.received, await storedHistory(), BigInt(end));
    });

    test('where nothing matches, a client moves on all the same', async () => {
      await api.finalView(await api.notify('ada'));
      const end = await head();
      const url = `${server.url}/v1/events?type=none.v1`;
      const { events } = await readEvents(url, { until: hasReached(end) });
      expect(events.every(({ data }) => data === undefined)).toBe(true);
      let notifying: Promise<string> | undefined;
      const resumed = await readEvents<EventItem>(`${server.url}/v1/events?after=0`, {
        lastEventId: end,
        until: (found) => {
          if (found.length === 0) notifying ??= api.notify('ada');
          return found.some(({ data }) => data !== undefined);
        },
      });
      await notifying;
      expect(BigInt(resumed.events[0]!.id)).toBeGreaterThan(BigInt(end));
    });
  });

  describe('the view of a notification', () => {
    function follow(id: string, reading: Parameters<typeof readEvents<NotificationView>>[1]) {
      return readEvents<NotificationView>(`${server.url}/v1/notifications/${id}`, reading);
    }

    test('comes as it is and then as it becomes, under the position that it shows', async () => {
      const id = await api.notify('ada');
      const { events } = await follow(id, { until: (found) => found.at(-1)?.data?.status === 'sent' });
      const positions = events.map((event) => BigInt(event.id));
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
      for (const event of events) expect(event.data!.position).toBe(event.id);
      expect(events.at(-1)!.data).toEqual(await api.view(id));
    });

    test('resumed, it comes only where it has changed', async () => {
      const id = await api.notify('ada', { deliverAt: new Date(Date.now() + 1_500).toISOString() });
      const isScheduled = (found: readonly StreamedEvent<NotificationView>[]) =>
        found.at(-1)?.data?.status === 'scheduled';
      const before = await follow(id, { until: isScheduled });
      const lastEventId = before.events.at(-1)!.id;
      const after = await follow(id, { lastEventId, until: (found) => found.at(-1)?.data?.status === 'sent' });
      expect(after.events.map(({ data }) => data!.status)).not.toContain('scheduled');
      expect(BigInt(after.events[0]!.id)).toBeGreaterThan(BigInt(lastEventId));
      const late = await follow(id, { lastEventId, until: (found) => found.length > 0 });
      expect(late.events.map(({ data }) => data?.status)).toEqual(['sent']);
    });
  });

  test('a server that stops ends all streams, and with them nothing is kept waiting', async () => {
    const id = await api.notify('ada');
    await api.finalView(id);
    const paths = ['/v1/events', '/v1/events?category=group.event', `/v1/notifications/${id}`];
    const begun = new Set<string>();
    let allHaveBegun!: () => void;
    const ready = new Promise<void>((resolve) => (allHaveBegun = resolve));
    const streams = paths.map((path) =>
      readEvents(server.url + path, {
        until: () => {
          if (begun.add(path).size === paths.length) allHaveBegun();
          return false;
        },
      }),
    );
    await ready;
    await server.stop();
    for (const { ended } of await Promise.all(streams)) expect(ended).toBe(true);
  });
});
