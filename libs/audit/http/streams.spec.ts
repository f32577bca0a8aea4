import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createHttpApp, OpenStreams } from '#libs/http';
import { newId } from '#libs/kernel';
import { defineTopology, stream } from '#libs/runtime';
import type { EventStore, SubscriptionBatch } from '#libs/store/port';
import { eventually, TemporaryStore, toyOperations } from '#libs/testing';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { AuditModule, type EventsPage } from '../index.js';

const total = 20_000;
/** With that much in each record, the buffers of the connection hold a part of them only. */
const padding = 'x'.repeat(2_000);
const lines = 'application/x-ndjson';
const events = 'text/event-stream';

/** What the store has handed out to one reader. */
interface Handed {
  records: number;
  ended: boolean;
}

let opened: TemporaryStore;
let handed: Handed[];
let app: NestFastifyApplication;
let url: string;

/** The store, which notes down what it hands out. */
function watched(store: EventStore): Pick<EventStore, 'head' | 'subscribeToAll'> {
  return {
    head: () => store.head(),
    async *subscribeToAll(options): AsyncGenerator<SubscriptionBatch> {
      const one: Handed = { records: 0, ended: false };
      handed.push(one);
      try {
        for await (const batch of store.subscribeToAll(options)) {
          one.records += batch.events.length;
          yield batch;
        }
      } finally {
        one.ended = true;
      }
    },
  };
}

async function append(count: number): Promise<void> {
  const batch = Array.from({ length: count }, (_, n) => ({ id: newId(), type: 'toy.do.v1', data: { n, padding } }));
  await opened.store.append('toy.operation-1', 'any', batch);
}

async function start(): Promise<void> {
  const topology = defineTopology([stream(toyOperations, { producers: [], consumers: [] })]);
  const vault = new Vault(new MemoryKeyStore());
  app = await createHttpApp(AuditModule.with({ store: watched(opened.store), topology, vault }), { logger: false });
  await app.listen({ host: '127.0.0.1', port: 0 });
  url = await app.getUrl();
}

beforeAll(async () => {
  opened = await TemporaryStore.open();
  for (let n = 0; n < total; n += 200) await append(200);
  await start();
});

afterAll(async () => {
  await app?.close();
  await opened?.remove();
});

beforeEach(() => {
  handed = [];
});

/** Asks on a connection of its own, and reads nothing but the head of the answer. */
async function ask(accept: string, query = ''): Promise<IncomingMessage> {
  const request = get(`${url}/v1/events${query}`, { headers: { accept }, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe(accept);
  return response.setEncoding('utf8');
}

/** Reads until so many matches are there; answers the first group of each. */
async function read(response: IncomingMessage, pattern: RegExp, count: number): Promise<string[]> {
  const found: string[] = [];
  let rest = '';
  for await (const chunk of response.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop()!;
    for (const part of parts) {
      const match = pattern.exec(part)?.[1];
      if (match !== undefined) found.push(match);
    }
    if (found.length >= count) break;
  }
  return found;
}

async function page(after: string): Promise<EventsPage> {
  return (await fetch(`${url}/v1/events?limit=200&after=${after}`)).json() as Promise<EventsPage>;
}

/** Reads pages, which takes the server's time, until the slow reader has been handed nothing more meanwhile. */
async function handedWhenStill(slow: Handed): Promise<number> {
  for (;;) {
    const before = slow.records;
    for (let pages = 0, after = '0'; pages < 20; pages += 1) ({ after } = await page(after));
    if (slow.records === before && before > 0) return before;
  }
}

function inOrder(positions: readonly string[]): boolean {
  return positions.every((position, index) => index === 0 || Number(positions[index - 1]) < Number(position));
}

const positionOfLine = /"position":"(\d+)"/;
const idOfEvent = /^id: (\d+)$/;

describe('lines', () => {
  test('the whole range, and no more is read than the client takes', async () => {
    const response = await ask(lines);
    const slow = await eventually(() => handed[0]);
    expect(await handedWhenStill(slow)).toBeLessThan(total / 2);
    // What comes now is after the request, and no part of the answer.
    await append(1);
    const positions = await read(response, positionOfLine, Infinity);
    expect(positions).toHaveLength(total);
    expect(inOrder(positions)).toBe(true);
    expect(response.complete).toBe(true);
  });

  test('a client that goes away ends the reading', async () => {
    const response = await ask(lines);
    await read(response, positionOfLine, 100);
    response.destroy();
    await eventually(() => handed[0]!.ended);
    expect(handed[0]!.records).toBeLessThan(total);
    await eventually(() => app.get(OpenStreams).size === 0);
  });
});

describe('server-sent events', () => {
  test('a slow client holds up itself only, and loses nothing', async () => {
    const response = await ask(events);
    const slow = await eventually(() => handed[0]);
    expect(await handedWhenStill(slow)).toBeLessThan(total / 2);
    await append(200);
    const after = String((await opened.store.head()) - 200n);
    const fast = await ask(events, `?after=${after}`);
    expect(await read(fast, idOfEvent, 200)).toHaveLength(200);
    const expected = Number(await opened.store.head());
    const ids = await read(response, idOfEvent, expected);
    expect(ids).toHaveLength(expected);
    expect(inOrder(ids)).toBe(true);
    for (const one of [fast, response]) one.destroy();
    await eventually(() => handed.every(({ ended }) => ended));
  });

  test('go on with what comes', async () => {
    const response = await ask(events, `?after=${await opened.store.head()}`);
    const reading = read(response, idOfEvent, 3);
    for (let n = 0; n < 3; n += 1) await append(1);
    expect(inOrder(await reading)).toBe(true);
    response.destroy();
  });
});

test('when the server drains, streams end soon: live ones as complete, ranges that are cut short as broken', async () => {
  const [live, stuck, cutShort] = [
    await ask(events, `?after=${await opened.store.head()}`),
    await ask(events),
    await ask(lines),
  ];
  await handedWhenStill(await eventually(() => handed[2]));
  const broken = [stuck, cutShort].map(async (response) => {
    response.on('error', () => undefined);
    await new Promise((resolve) => response.once('close', resolve));
    return response.complete;
  });
  const ended = once(live.resume(), 'end');
  const begun = performance.now();
  const closing = app.close();
  await ended;
  expect(live.complete).toBe(true);
  await closing;
  // Well before the time after which a server drops all connections.
  expect(performance.now() - begun).toBeLessThan(5_000);
  for (const response of [stuck, cutShort]) response.resume();
  expect(await Promise.all(broken)).toEqual([false, false]);
  expect(handed.every(({ ended: isEnded }) => isEnded)).toBe(true);
  await start();
});
