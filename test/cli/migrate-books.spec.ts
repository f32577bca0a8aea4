import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { RetryLater } from '#libs/runtime';
import { openEventStoreDb, parseConnection } from '#libs/store/eventstoredb';
import { startFacade, type Facade } from '#libs/store/facade';
import type { EventStore } from '#libs/store/port';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';
import { enqueue, eventually, ToyFlow, type ToyOptions } from '#libs/testing';
import { temporaryFolder } from '../support/index.js';
import { tidings } from './tidings.js';

const ttl = 1_500;
const patience = { timeoutMs: 30_000 };
const names = Array.from({ length: 10 }, (_, index) => `flow-${index}`);
const handled = 1;
const putOff = 2;
const broken = 3;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let there: SqliteEventStore;
let facade: Facade;
let running: ToyFlow[];
let opened: EventStore[];
/** What handlers were called with, in all stores. */
let called: string[];
const inFolder = (...path: string[]) => join(folder.path, ...path);
const url = () => `esdb://127.0.0.1:${facade.port}?tls=false`;

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const name of ['data', 'there', 'back', 'again']) await mkdir(inFolder(name));
  there = await openSqliteStore({ directory: inFolder('there') });
  // What stands there already makes every position another one.
  await there.append('other.event-1', 'noStream', [{ id: newId(), type: 'other.told.v1', data: {} }]);
  facade = await startFacade(there, { port: 0, writable: true, limits: { closing: 50 } });
  running = [];
  opened = [];
  called = [];
});

afterEach(async () => {
  await stop();
  await facade.close();
  await there.close();
  await folder.remove();
});

/** @param isWell false: what is not to be handled at once is put off, or given up */
async function start(store: EventStore, isWell: boolean, options: Partial<ToyOptions> = {}): Promise<ToyFlow> {
  const flow = await ToyFlow.start(store, {
    retry: { immediate: [], later: [] },
    handle: async ({ data: { n } }, { correlationId }) => {
      called.push(`${correlationId}: ${n}`);
      if (isWell || n === handled) return;
      if (n === putOff) throw new RetryLater(Date.now() + 3_600_000, 'not yet');
      throw new Error('broken');
    },
    ...options,
  });
  running.push(flow);
  return flow;
}

/** Ends all processes, and closes their stores. */
async function stop(): Promise<void> {
  await Promise.all(running.splice(0).map((flow) => flow.drain()));
  for (const store of opened.splice(0)) await store.close();
}

async function embedded(name: string): Promise<EventStore> {
  const store = await openSqliteStore({ directory: inFolder(name) });
  opened.push(store);
  return store;
}

/** As another process has it. */
async function server(): Promise<EventStore> {
  const store = await openEventStoreDb({ connection: parseConnection(url()) });
  opened.push(store);
  return store;
}

async function startShared(isWell: boolean): Promise<ToyFlow> {
  return start(await server(), isWell, { sharing: { member: newId(), partitions: 4, ttl } });
}

async function migrate(...args: string[]): Promise<void> {
  const { code, stderr } = await tidings(['migrate', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
}

function sum(count: 'retrying' | 'parked'): number {
  return running.reduce((all, flow) => all + flow.consumer.status()[count], 0);
}

/** Appends one more for each flow, and waits until it was handled; answers what else was called since. */
async function callsBesides(store: EventStore): Promise<readonly string[]> {
  const before = called.length;
  for (const name of names) await enqueue(store, name, handled);
  const wanted = names.map((name) => `${name}: ${handled}`);
  await eventually(() => wanted.every((call) => called.slice(before).includes(call)), patience);
  const since = called.slice(before);
  for (const call of wanted) since.splice(since.indexOf(call), 1);
  return since;
}

test('consumers go on where they were, from the embedded store to EventStoreDB and back, and there once more', async () => {
  const home = await embedded('data');
  await start(home, false);
  for (const name of names) await enqueue(home, name, handled);
  await enqueue(home, names[0]!, putOff);
  await enqueue(home, names[1]!, broken);
  await eventually(() => sum('retrying') === 1 && sum('parked') === 1, patience);
  await stop();

  await migrate('--from', inFolder('data'), '--to', url(), '--into-filled');
  await startShared(false);
  await startShared(false);
  await eventually(() => sum('retrying') === 1 && sum('parked') === 1, patience);
  expect(await callsBesides(opened[0]!)).toEqual([]);
  for (const name of names.slice(2, 5)) await enqueue(opened[0]!, name, putOff);
  for (const name of names.slice(5)) await enqueue(opened[0]!, name, broken);
  await eventually(() => sum('retrying') === 4 && sum('parked') === 6, patience);
  await running[0]!.consumer.pause();
  await stop();

  await migrate('--from', url(), '--to', inFolder('back'));
  const back = await embedded('back');
  called = [];
  const alone = await start(back, false);
  expect(alone.consumer.status()).toMatchObject({ state: 'paused', retrying: 4, parked: 6 });
  await alone.consumer.resume();
  expect(await callsBesides(back)).toEqual([]);
  await stop();

  const reopened = await embedded('back');
  called = [];
  const later = await start(reopened, true, { now: () => Date.now() + 7_200_000 });
  await eventually(() => sum('retrying') === 0, patience);
  expect(called.sort()).toEqual([names[0]!, ...names.slice(2, 5)].map((name) => `${name}: ${putOff}`));
  const parked = later.consumer.listParked().find(({ correlationId }) => correlationId === names[1]!);
  await later.consumer.redrive(parked!.record);
  await eventually(() => sum('retrying') === 0 && called.length === 5, patience);
  expect(called[4]).toBe(`${names[1]!}: ${broken}`);
  expect(sum('parked')).toBe(5);
  await stop();

  await facade.close();
  await there.close();
  there = await openSqliteStore({ directory: inFolder('again') });
  facade = await startFacade(there, { port: 0, writable: true, limits: { closing: 50 } });
  await migrate('--from', inFolder('back'), '--to', url());
  called = [];
  await startShared(true);
  await startShared(true);
  await eventually(() => sum('parked') === 5, patience);
  expect(await callsBesides(opened[0]!)).toEqual([]);
  expect(sum('retrying')).toBe(0);
}, 120_000);
