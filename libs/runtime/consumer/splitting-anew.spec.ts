import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type RecordedEvent } from '#libs/kernel';
import { RetryLater } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import {
  enqueue,
  eventually,
  TemporaryStore,
  ToyFlow,
  withFaults,
  type ToyContext,
  type ToyOptions,
  type ToyRecord,
} from '#libs/testing';
import { partitionOf } from './partitions.js';

const consumer = 'toy.consumer';
const ttl = 900;
const later = 200_000;

let temporary: TemporaryStore;
let store: EventStore;
let running: ToyFlow[];

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  store = temporary.store;
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((flow) => flow.drain()));
  await temporary.remove();
});

/** Starts a process: alone with one partition, else as one of several. */
async function start(partitions: number, options: ToyOptions, on: EventStore = store): Promise<ToyFlow> {
  const sharing = { sharing: { member: newId(), partitions, ttl, patience: 300 } };
  const flow = await ToyFlow.start(on, { ...(partitions > 1 && sharing), ...options });
  running.push(flow);
  return flow;
}

async function stop(...flows: readonly ToyFlow[]): Promise<void> {
  await Promise.all(flows.map((flow) => flow.drain()));
  running = running.filter((flow) => !flows.includes(flow));
}

const names = Array.from({ length: 12 }, (_, index) => `flow-${index}`);

/** A flow of the partition. */
const flowOf = (partition: number, count: number) => names.find((name) => partitionOf(name, count) === partition)!;

const ownRetry = { immediate: [], later: [] };

/** Handles 1, puts 2 off, and gives up 3; says what it was called with. */
function handling(called: string[], fails: (n: number) => boolean = (n) => n > 1): ToyOptions {
  return {
    retry: ownRetry,
    handle: async ({ data: { n } }: ToyRecord, { correlationId }: ToyContext) => {
      called.push(`${correlationId}: ${n}`);
      if (!fails(n)) return;
      if (n === 2) throw new RetryLater(Date.now() + later, 'not yet');
      throw new Error('broken');
    },
  };
}

const succeeding = (called: string[]) => handling(called, () => false);
const afterwards = () => Date.now() + 2 * later;

async function records(stream: string): Promise<readonly RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const record of store.readStream(stream)) found.push(record);
  return found;
}

/** As a process notes it down. */
async function note(stream: string, type: string, data: object): Promise<void> {
  await store.append(stream, 'any', [{ id: newId(), type, data }]);
}
const fix = (count: number) => note('runtime.installation-partitions', 'runtime.partitions-fixed.v1', { count });
const reach = (key: string, position: bigint) =>
  note(`runtime.checkpoint-${key}`, 'runtime.checkpoint-reached.v1', { position: String(position) });

async function put(flow: string, n: number): Promise<{ readonly position: bigint; readonly ref: object }> {
  const id = await enqueue(store, flow, n);
  const position = await store.head();
  const [record] = (await records(`toy.operation-${flow}`)).filter((one) => one.id === id);
  const { type, stream, revision } = record!;
  return { position, ref: { id, type, stream, revision: String(revision), position: String(position) } };
}

/** How many entries of each kind there are, in all processes. */
function sum(flows: readonly ToyFlow[], count: 'retrying' | 'parked' | 'handled'): number {
  return flows.reduce((all, flow) => all + flow.consumer.status()[count], 0);
}

/** Six flows wait to be tried again, six are parked, one of these is archived. */
async function setAsideBy(flows: readonly ToyFlow[]): Promise<void> {
  for (const name of names) await enqueue(store, name, 1);
  for (const name of names.slice(0, 6)) await enqueue(store, name, 2);
  for (const name of names.slice(6)) await enqueue(store, name, 3);
  await eventually(() => sum(flows, 'retrying') === 6 && sum(flows, 'parked') === 6);
  const [first] = flows.flatMap((flow) => flow.consumer.listParked());
  for (const flow of flows) await flow.consumer.archive(first!.record);
}

describe('a store that several processes shared', () => {
  it('is gone on with by one that has it alone, which does nothing again', async () => {
    const before = [await start(4, handling([])), await start(4, handling([]))];
    await setAsideBy(before);
    await stop(...before);

    const called: string[] = [];
    const alone = await start(1, succeeding(called));
    expect(sum([alone], 'retrying')).toBe(6);
    expect(sum([alone], 'parked')).toBe(5);
    expect(alone.consumer.listArchived()).toHaveLength(1);
    await enqueue(store, 'another', 1);
    await eventually(() => called.length > 0);
    expect(called).toEqual(['another: 1']);
    await alone.consumer.redrive(alone.consumer.listParked()[0]!.record);
    await eventually(() => called.length === 2);
    expect(called[1]).toMatch(/: 3$/);
    await stop(alone);

    const due: string[] = [];
    const again = await start(1, { ...succeeding(due), now: afterwards });
    await eventually(() => sum([again], 'retrying') === 0);
    expect(due.sort()).toEqual(names.slice(0, 6).map((name) => `${name}: 2`));
    expect(sum([again], 'parked')).toBe(4);
  });

  it('stays paused where it was', async () => {
    const before = await start(4, handling([]));
    await before.consumer.pause();
    await stop(before);
    const alone = await start(1, handling([]));
    expect(alone.consumer.status().state).toBe('paused');
  });

  it('is adopted whole, wherever that is killed, and once', async () => {
    const before = await start(4, handling([]));
    await setAsideBy([before]);
    const archived = before.consumer.listArchived();
    await stop(before);

    const called: string[] = [];
    let deaths = 0;
    for (let alone: ToyFlow | undefined; alone === undefined; deaths += 1) {
      let appends = 0;
      const beforeAppend = () => {
        appends += 1;
        if (appends > 1 + (deaths % 2)) throw new Error('killed');
      };
      alone = await start(1, succeeding(called), withFaults(store, { beforeAppend })).catch(() => undefined);
      if (alone !== undefined) await stop(alone);
    }
    expect(deaths).toBeGreaterThan(5);
    const alone = await start(1, succeeding(called));
    expect(sum([alone], 'retrying')).toBe(6);
    expect(sum([alone], 'parked')).toBe(5);
    const [kept] = alone.consumer.listArchived();
    expect(kept).toEqual({ ...archived[0], archivedAt: expect.any(Number) });
    // By the clock of the store first, and then as it was noted.
    expect(Math.abs(kept!.archivedAt - archived[0]!.archivedAt)).toBeLessThan(5_000);
    const types = (await records('runtime.parked-toy.consumer.2.0')).map(({ type }) => type);
    expect(types.filter((type) => type === 'runtime.record-parked.v1')).toHaveLength(6);
    expect(types.filter((type) => type === 'runtime.record-archived.v1')).toHaveLength(1);
    expect(await records('runtime.retry-toy.consumer.2.0')).toHaveLength(6);
    expect(called).toEqual([]);
  });

  it('is handled from where each of its partitions was', async () => {
    const [one, other] = [flowOf(0, 2), flowOf(1, 2)];
    await fix(2);
    const positions = new Map<string, bigint>();
    for (const n of [1, 4, 5]) {
      for (const flow of [one, other]) positions.set(`${flow}: ${n}`, (await put(flow, n)).position);
    }
    await reach(`${consumer}.0`, positions.get(`${one}: 5`)!);
    await reach(`${consumer}.1`, positions.get(`${other}: 1`)!);

    const called: string[] = [];
    const alone = await start(1, succeeding(called));
    const position = await store.head();
    await eventually(() => alone.consumer.status().position >= position);
    expect(called).toEqual([`${other}: 4`, `${other}: 5`]);
  });

  it('has its checkpoint go on over what was done before', async () => {
    const [one, other] = [flowOf(0, 2), flowOf(1, 2)];
    await fix(2);
    const last = await put(one, 1);
    await reach(`${consumer}.0`, last.position);
    await reach(`${consumer}.1`, 0n);
    expect(other).not.toBe(one);
    await start(1, succeeding([]));
    await eventually(async () => {
      const saved = (await records('runtime.checkpoint-toy.consumer.2.0')).at(-1)?.data as { position: string };
      return BigInt(saved.position) >= last.position;
    });
  });
});

describe('the number of partitions', () => {
  it('is changed once by several that start together, when nobody is alive any more', async () => {
    const before = [await start(4, handling([])), await start(4, handling([]))];
    await setAsideBy(before);
    await expect(start(3, handling([]))).rejects.toThrow('it cannot be used with 3 meanwhile');
    await stop(...before);

    const called: string[] = [];
    const now = await Promise.all([start(3, succeeding(called)), start(3, succeeding(called))]);
    await eventually(() => sum(now, 'retrying') === 6 && sum(now, 'parked') === 5);
    expect(now.flatMap((flow) => flow.consumer.listArchived())).toHaveLength(1);
    await enqueue(store, 'another', 1);
    await eventually(() => called.length > 0);
    expect(called).toEqual(['another: 1']);
    const noted = await records('runtime.installation-partitions');
    expect(noted.map(({ type, data }) => ({ type, data }))).toEqual([
      { type: 'runtime.partitions-fixed.v1', data: { count: 4 } },
      { type: 'runtime.partitions-changing.v1', data: { count: 3 } },
      { type: 'runtime.partitions-fixed.v1', data: { count: 3 } },
    ]);
  });

  it.each([3, 1])('is changed to %i while a redrive and an archive are open: both are done, once', async (count) => {
    const before = await start(4, handling([]));
    await setAsideBy([before]);
    const asking = await start(4, { ...handling([]), asksOnly: true });
    const [first, ...others] = (await asking.oversight.parked()).list();
    await stop(before);
    expect((await asking.oversight.release('archive', [first!])).pending).toHaveLength(1);
    expect((await asking.oversight.release('redrive', others)).pending).toHaveLength(4);
    await stop(asking);

    const called: string[] = [];
    const after = await start(count, succeeding(called));
    await eventually(() => sum([after], 'parked') === 0 && called.length >= others.length);
    expect(called.sort()).toEqual(others.map(({ parked }) => `${parked.correlationId}: 3`).sort());
    expect(after.consumer.listArchived()).toHaveLength(2);
    expect((await after.oversight.parked()).list()).toEqual([]);
    await stop(after);

    const again = await start(count, succeeding(called));
    expect(sum([again], 'parked')).toBe(0);
    expect(called).toHaveLength(others.length);
  });

  it('that comes back finds nothing of what it had: only what was done last counts', async () => {
    const before = await start(3, handling([]));
    await setAsideBy([before]);
    await stop(before);
    const between = await start(1, { ...succeeding([]), now: afterwards });
    await eventually(() => sum([between], 'retrying') === 0);
    for (const name of names) await enqueue(store, name, 1);
    await eventually(() => sum([between], 'handled') === 18);
    await stop(between);

    const called: string[] = [];
    const after = await start(3, { ...succeeding(called), now: afterwards });
    expect(sum([after], 'retrying')).toBe(0);
    expect(sum([after], 'parked')).toBe(5);
    for (const name of names) await enqueue(store, name, 5);
    await eventually(() => called.length >= names.length);
    expect(called.sort()).toEqual(names.map((name) => `${name}: 5`).sort());
  });

  it('that was changed again before all had begun counts where a partition has begun', async () => {
    const flows = [0, 1, 2, 3].map((partition) => flowOf(partition, 4));
    const retried: object[] = [];
    const schedule = async (key: string, flow: string, record: object) => {
      retried.push(record);
      const data = { record, correlationId: flow, dueAt: null, tries: [] };
      await note(`runtime.retry-${key}`, 'runtime.retry-scheduled.v1', data);
    };
    await fix(4);
    for (const flow of flows) {
      const { ref, position } = await put(flow, 2);
      await schedule(`${consumer}.${partitionOf(flow, 4)}`, flow, ref);
      await reach(`${consumer}.${partitionOf(flow, 4)}`, position);
    }
    await fix(2);
    // Begun, and what it had adopted has ended; the other one died amid adopting.
    await reach(`${consumer}.2.0`, await store.head());
    const unbegun = flows.filter((flow) => partitionOf(flow, 2) === 1);
    await schedule(`${consumer}.2.1`, unbegun[0]!, retried[flows.indexOf(unbegun[0]!)]!);

    const called: string[] = [];
    const alone = await start(1, { ...succeeding(called), now: afterwards });
    await eventually(() => called.length > 0 && sum([alone], 'retrying') === 0);
    expect(called.sort()).toEqual(unbegun.map((flow) => `${flow}: 2`).sort());
  });

  it('that others are about to change has a process give up what it has', async () => {
    const late = await start(4, handling([]));
    await note('runtime.installation-partitions', 'runtime.partitions-changing.v1', { count: 3 });
    await eventually(() => late.sharing().held.length === 0);
    expect(late.troubles.map(String)).toEqual([expect.stringContaining('with 3 partitions')]);
    const called: string[] = [];
    const now = await start(3, succeeding(called));
    await eventually(() => now.sharing().held.length === 3);
    for (const name of names) await enqueue(store, name, 1);
    await eventually(() => called.length === names.length);
    expect(late.consumer.status().handled).toBe(0);
  });
});

it('a record that is to be tried again is found where a copy of its stream is numbered from 0', async () => {
  await put(flowOf(0, 2), 5);
  const { ref, position } = await put(flowOf(0, 2), 2);
  const data = { record: { ...ref, revision: '7' }, correlationId: flowOf(0, 2), dueAt: null, tries: [] };
  await note(`runtime.retry-${consumer}`, 'runtime.retry-scheduled.v1', data);
  await reach(consumer, position);
  const called: string[] = [];
  const alone = await start(1, succeeding(called));
  await eventually(() => sum([alone], 'retrying') === 0);
  expect(called).toEqual([`${flowOf(0, 2)}: 2`]);
});
