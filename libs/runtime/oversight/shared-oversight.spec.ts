import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { enqueue, eventually, TemporaryStore, ToyFlow, withFaults, type Faults, type ToyRecord } from '#libs/testing';
import type { ParkedAt } from './oversight.js';

const partitions = 4;
const name = 'toy.consumer';
const flowNames = Array.from({ length: 12 }, (_, index) => `flow-${index}`);
const never = { immediate: [], later: [] };

let temporary: TemporaryStore;
let store: EventStore;
let faults: Faults;
let flows: ToyFlow[];
let isBroken: boolean;
let tried: string[];
let handled: string[];

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  faults = {};
  store = withFaults(temporary.store, faults);
  [flows, isBroken, tried, handled] = [[], true, [], []];
});

afterEach(async () => {
  faults.beforeAppend = undefined;
  await Promise.all(flows.map((flow) => flow.drain()));
  expect(flows.flatMap(({ troubles }) => troubles)).toEqual([]);
  await temporary.remove();
});

/** A process of its own, as far as the store can tell. */
async function join(asksOnly = false): Promise<ToyFlow> {
  const flow = await ToyFlow.start(store, {
    handle: async ({ stream }: ToyRecord) => {
      tried.push(stream);
      if (isBroken) throw new Error('broken');
      handled.push(stream);
    },
    retry: never,
    asksOnly,
    sharing: { member: newId(), partitions, ttl: 900, patience: 2_000 },
  });
  flows.push(flow);
  return flow;
}

/** Two processes that work and one that only asks. */
async function start() {
  const [a, b, asking] = [await join(), await join(), await join(true)];
  await eventually(() => a.sharing().held.length === 2 && b.sharing().held.length === 2);
  return { a, b, asking };
}

const parkedOf = async ({ oversight }: ToyFlow): Promise<readonly ParkedAt[]> => (await oversight.parked()).list();
const statusOf = async ({ oversight }: ToyFlow) => (await oversight.statuses())[0]!;

async function breakFlows(asking: ToyFlow): Promise<readonly ParkedAt[]> {
  for (const flow of flowNames) await enqueue(store, flow, 1);
  await eventually(async () => (await parkedOf(asking)).length === flowNames.length);
  return parkedOf(asking);
}

async function records(category: string): Promise<readonly RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const record of temporary.store.readAll({ filter: { categories: [category] } })) found.push(record);
  return found;
}

describe('a process that is asked about an installation', () => {
  it('lists what any of them has parked, and has it redriven once by whoever has it', async () => {
    const { a, b, asking } = await start();
    const parked = await breakFlows(asking);
    expect([a.consumer.status().parked, b.consumer.status().parked].every((count) => count > 0)).toBe(true);
    isBroken = false;
    // Two who ask for the same at the same time: who is told that it is done does not matter.
    const released = await Promise.all([
      asking.oversight.release('redrive', parked),
      a.oversight.parked().then(() => a.oversight.release('redrive', parked)),
    ]);
    expect(released.flatMap(({ pending }) => pending)).toEqual([]);
    expect(released[0].done).toEqual(parked);
    await eventually(() => handled.length === flowNames.length);
    expect(new Set(handled).size).toBe(flowNames.length);
    expect(await parkedOf(asking)).toEqual([]);
    expect(await asking.oversight.release('redrive', parked)).toEqual({ done: [], pending: [] });
    // Both have asked for the same.
    expect(await records('runtime.request')).toHaveLength(1);
  });

  it('has a record archived by whoever has it', async () => {
    const { asking } = await start();
    const [first, ...others] = await breakFlows(asking);
    expect(await asking.oversight.release('archive', [first!])).toMatchObject({ done: [first], pending: [] });
    const known = await asking.oversight.parked();
    expect(known.list()).toEqual(others);
    expect(known.listArchived()).toMatchObject([{ parked: { ...first!.parked, archivedAt: expect.any(Number) } }]);
  });

  it('says what is still to be done where nobody is there to do it, who then does it once', async () => {
    const { a, b, asking } = await start();
    const parked = await breakFlows(asking);
    await Promise.all([a.drain(), b.drain()]);
    isBroken = false;
    for (const _ of [1, 2]) {
      expect(await asking.oversight.release('redrive', parked)).toEqual({ done: [], pending: parked });
    }
    expect(await records('runtime.request')).toHaveLength(1);
    await join();
    await eventually(async () => (await parkedOf(asking)).length === 0);
    await eventually(() => handled.length === flowNames.length);
    expect(tried).toHaveLength(2 * flowNames.length);
  });

  it('a request that has had its effect has none after a take-over: what was parked anew stays parked', async () => {
    const { a, b, asking } = await start();
    const parked = await breakFlows(asking);
    expect((await asking.oversight.release('redrive', parked)).done).toHaveLength(parked.length);
    const isParkedAnew = async () =>
      (await parkedOf(asking)).length === parked.length && tried.length === 2 * parked.length;
    await eventually(isParkedAnew);
    isBroken = false;
    await Promise.all([a.drain(), b.drain()]);
    const c = await join();
    expect(c.consumer.status().parked).toBe(parked.length);
    expect(handled).toEqual([]);
  });

  it('a process that is killed amid a redrive leaves the rest to the next one', async () => {
    const a = await join();
    const asking = await join(true);
    const parked = await breakFlows(asking);
    isBroken = false;
    await asking.oversight.turn(name, 'pause');
    // Its signs of life and its books do not arrive any more once it has begun.
    let isDead = false;
    faults.beforeAppend = ([stream]) => {
      isDead ||= stream!.startsWith('runtime.retry-');
      if (isDead && !stream!.startsWith('runtime.control')) throw new StoreUnavailable('it is dead');
    };
    expect((await asking.oversight.release('redrive', parked)).pending).toEqual(parked);
    const dying = a.drain();
    faults.beforeAppend = undefined;
    await dying;
    await join();
    await eventually(async () => (await parkedOf(asking)).length === 0);
    expect(handled).toEqual([]);
    await asking.oversight.turn(name, 'resume');
    await eventually(() => handled.length === flowNames.length);
    expect(new Set(handled).size).toBe(flowNames.length);
  });

  it('pauses all of them, also those that come later, and lets them go on', async () => {
    isBroken = false;
    const { a, b, asking } = await start();
    const turned = await asking.oversight.turn(name, 'pause');
    expect(turned).toMatchObject({ name, state: 'paused', pausedAt: expect.any(Number) });
    expect((await asking.oversight.turn(name, 'pause')).pausedAt).toBe(turned.pausedAt);
    await eventually(() => [a, b].every(({ consumer }) => consumer.status().state === 'paused'));
    for (const flow of flowNames) await enqueue(store, flow, 1);
    await a.drain();
    const c = await join();
    await eventually(() => b.sharing().held.length === 2 && c.sharing().held.length === 2);
    await eventually(() => c.consumer.status().state === 'paused');
    await eventually(async () => (await statusOf(asking)).waiting === flowNames.length);
    expect(await statusOf(asking)).toMatchObject({ state: 'paused', partitions: [0, 1, 2, 3] });
    expect(handled).toEqual([]);
    expect(await b.oversight.turn(name, 'resume')).toMatchObject({ state: 'running', pausedAt: undefined });
    await eventually(() => handled.length === flowNames.length);
  });

  it('tells how a consumer fares in all of them, and when nobody runs it', async () => {
    const { a, b, asking } = await start();
    expect(asking.oversight.knows(name)).toBe(true);
    expect(asking.oversight.knows('nobody')).toBe(false);
    await breakFlows(asking);
    isBroken = false;
    await enqueue(store, 'good', 1);
    await eventually(async () => (await statusOf(asking)).handled === 1);
    const head = await store.head();
    await eventually(async () => (await statusOf(asking)).position >= head);
    for (const one of [a, b, asking]) {
      expect(await statusOf(one)).toMatchObject({
        name,
        role: 'bot',
        state: 'running',
        partitions: [0, 1, 2, 3],
        waiting: 0,
        retrying: 0,
        parked: flowNames.length,
        lastError: { error: 'broken' },
      });
    }
    await Promise.all([a.drain(), b.drain()]);
    await enqueue(store, 'late', 1);
    const undone = await store.head();
    await eventually(async () => (await statusOf(asking)).state === 'stopped');
    expect(await statusOf(asking)).toMatchObject({ partitions: [], handled: 0, parked: flowNames.length });
    expect((await statusOf(asking)).position).toBeLessThan(undone);
  });

  it('tells that one of them has failed', async () => {
    isBroken = false;
    const { b, asking } = await start();
    faults.beforeAppend = ([stream]) => {
      if (stream!.startsWith('runtime.checkpoint')) throw new Error('the disk is broken');
    };
    for (const flow of flowNames) await enqueue(store, flow, 1);
    await eventually(() => b.consumer.status().state === 'failed');
    faults.beforeAppend = undefined;
    await eventually(async () => (await statusOf(asking)).state === 'failed');
    expect((await statusOf(asking)).lastError).toMatchObject({ error: 'the disk is broken' });
  });

  it('goes on once a store is back that was away when it was asked first', async () => {
    const asking = await join(true);
    faults.beforeRead = () => {
      throw new StoreUnavailable('away');
    };
    await expect(asking.oversight.parked()).rejects.toThrow('away');
    await expect(asking.oversight.statuses()).rejects.toThrow('away');
    faults.beforeRead = undefined;
    expect(await parkedOf(asking)).toEqual([]);
    expect(await statusOf(asking)).toMatchObject({ state: 'stopped' });
  });
});
