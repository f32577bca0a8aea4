import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keyOf, newId, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import {
  enqueue,
  eventually,
  TemporaryStore,
  toyEvents,
  ToyFlow,
  withFaults,
  type Faults,
  type ToyContext,
  type ToyOptions,
  type ToyRecord,
} from '#libs/testing';
import { partitionOf } from '../consumer/partitions.js';
import type { SharingOptions } from './sharing.js';

const partitions = 4;
const ttl = 900;

let temporary: TemporaryStore;
let store: EventStore;
let flows: ToyFlow[];

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  store = temporary.store;
  flows = [];
});

afterEach(async () => {
  await Promise.all(flows.map((flow) => flow.drain()));
  expect(flows.flatMap(({ troubles }) => troubles)).toEqual([]);
  await temporary.remove();
});

/** A process of its own, as far as the store can tell. */
async function join(
  options: ToyOptions,
  on: EventStore = store,
  more: Partial<Pick<SharingOptions, 'predecessor' | 'partitions' | 'keepsPartitions' | 'ttl'>> = {},
): Promise<ToyFlow> {
  const sharing = { member: newId(), partitions, ttl, ...more };
  const flow = await ToyFlow.start(on, { sharing, ...options });
  flows.push(flow);
  return flow;
}

/** Says in the flow's own stream that it was handled, once for each number however often that is. */
async function done({ data }: ToyRecord, context: ToyContext): Promise<void> {
  await context.append(
    context.write(toyEvents, `${context.correlationId}.${data.n}`, 'noStream', [{ type: 'toy.done.v1', data }]),
  );
}

const slotsOf = (flow: ToyFlow) => flow.sharing().held.length;

async function records(category: string): Promise<readonly RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const record of store.readAll({ filter: { categories: [category] } })) found.push(record);
  return found;
}

const names = Array.from({ length: 12 }, (_, index) => `flow-${index}`);

describe('processes on one store', () => {
  it('share the flows, and share anew when one comes or goes', async () => {
    const handled = new Map<string, string[]>();
    const handlerOf = (who: string) => ({
      handle: async (record: ToyRecord, context: ToyContext) => {
        await done(record, context);
        const flow = context.correlationId;
        handled.set(flow, [...(handled.get(flow) ?? []), `${who}${record.data.n}`]);
      },
    });
    const a = await join(handlerOf('a'));
    expect(slotsOf(a)).toBe(partitions);
    const b = await join(handlerOf('b'));
    await eventually(() => slotsOf(a) === 2 && slotsOf(b) === 2);
    for (const name of names) await enqueue(store, name, 1);
    await eventually(() => handled.size === names.length);
    // Each flow is where its partition is.
    const here = new Set(a.sharing().held.map((slot) => Number(slot.split('.')[1])));
    for (const [flow, by] of handled) expect(by).toEqual([here.has(partitionOf(flow, partitions)) ? 'a1' : 'b1']);

    const c = await join(handlerOf('c'));
    await eventually(() => slotsOf(c) === 1 && slotsOf(a) + slotsOf(b) === 3);
    await a.drain();
    await eventually(() => slotsOf(b) === 2 && slotsOf(c) === 2);
    for (const name of names) await enqueue(store, name, 2);
    await eventually(async () => (await records('toy.event')).length === 2 * names.length);
    for (const by of handled.values()) expect(by.some((one) => one === 'a2')).toBe(false);
    expect(b.failures).toEqual([]);
  });

  it('a process whose signs of life do not arrive is replaced, and from then on writes nothing of its bookkeeping', async () => {
    const faults: Faults = {};
    const frozen = withFaults(store, faults);
    let letGo!: () => void;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let begun = 0;
    const a = await join(
      {
        handle: async (record, context) => {
          begun += 1;
          await held;
          context.checkLease!();
          await done(record, context);
        },
      },
      frozen,
    );
    for (const name of names) await enqueue(store, name, 1);
    await eventually(() => begun === names.length);
    faults.beforeAppend = ([stream]) => {
      if (stream!.startsWith('runtime.member')) throw new StoreUnavailable('cut off');
    };
    const b = await join({ handle: done });
    await eventually(() => slotsOf(b) === partitions);
    await eventually(async () => (await records('toy.event')).length === names.length);
    letGo();
    await eventually(() => a.consumer.status().waiting === 0 || slotsOf(a) === 0);
    expect(a.failures).toEqual([]);
    faults.beforeAppend = undefined;
    // It is a member again, and has its share.
    await eventually(() => slotsOf(a) === 2 && slotsOf(b) === 2);
    expect((await records('toy.event')).length).toBe(names.length);
    const setAside = [...(await records('runtime.retry')), ...(await records('runtime.parked'))];
    expect(setAside.filter(({ type }) => !type.endsWith('-taken-over.v1'))).toEqual([]);
  });

  it('one that has the place of a dead process takes its slots without a wait', async () => {
    const faults: Faults = {};
    const long = 60_000;
    const a = await join({ handle: done }, withFaults(store, faults), { ttl: long });
    // As a process that was killed: it says nothing more.
    const gone = () => {
      throw new StoreUnavailable('it is dead');
    };
    faults.beforeAppend = gone;
    const started = performance.now();
    const b = await join({ handle: done }, store, { predecessor: a.sharing().me, ttl: long });
    expect(slotsOf(b)).toBe(partitions);
    // Others would have waited that long.
    expect(performance.now() - started).toBeLessThan(long / 2);
  });

  it('a pause holds in all of them', async () => {
    const handled: string[] = [];
    const options = {
      handle: async (_: ToyRecord, { correlationId }: ToyContext) => void handled.push(correlationId),
    };
    const [a, b] = [await join(options), await join(options)];
    await eventually(() => slotsOf(a) === 2 && slotsOf(b) === 2);
    await a.consumer.pause();
    await eventually(() => b.consumer.status().state === 'paused');
    for (const name of names) await enqueue(store, name, 1);
    await eventually(() => a.consumer.status().waiting + b.consumer.status().waiting === names.length);
    expect(handled).toEqual([]);
    await b.consumer.resume();
    await eventually(() => handled.length === names.length);
    expect(a.consumer.status().state).toBe('running');
  });

  it('another number of partitions is refused while one is alive', async () => {
    await join({ handle: done });
    await expect(join({ handle: done }, store, { partitions: 5 })).rejects.toThrow(
      'with 4 partitions, and it cannot be used with 5 meanwhile: set TIDINGS_PARTITIONS=4, or stop all of them first',
    );
  });

  it('a record that none of them can read leaves them what they know of each other', async () => {
    const [a, b] = [await join({ handle: done }), await join({ handle: done })];
    await eventually(() => slotsOf(a) === 2 && slotsOf(b) === 2);
    await store.append('runtime.installation-partitions', 'streamExists', [
      { id: newId(), type: 'runtime.partitions-fixed.v99', data: { count: 5 } },
    ]);
    await eventually(() => a.troubles.length > 0 && b.troubles.length > 0);
    for (const { troubles } of [a, b]) expect(String(troubles.splice(0))).toContain('runtime.partitions-fixed.v99');
    await b.drain();
    await eventually(() => slotsOf(a) === 4);
  });

  it('another number is not taken where none was asked for, though nobody is alive', async () => {
    await (await join({ handle: done })).drain();
    const unset = { partitions: 5, keepsPartitions: true };
    await expect(join({ handle: done }, store, unset)).rejects.toThrow('set TIDINGS_PARTITIONS=4, or 5 to change that');
    expect(slotsOf(await join({ handle: done }, store, { ...unset, partitions: 4 }))).toBe(4);
  });

  it('what is not to be split runs in one of them', async () => {
    const handled: string[] = [];
    const optionsOf = (who: string): ToyOptions => ({ partitioned: false, handle: async () => void handled.push(who) });
    const [a, b] = [await join(optionsOf('a')), await join(optionsOf('b'))];
    await eventually(() => slotsOf(a) === 2 && slotsOf(b) === 2);
    for (const name of names) await enqueue(store, name, 1);
    await eventually(() => handled.length === names.length);
    expect(new Set(handled)).toEqual(new Set(['a']));
    expect(b.consumer.status().state).toBe('standby');
  });
});

describe('a store that one process had alone', () => {
  it('is split without losing what was set aside, or doing anything twice', async () => {
    const alone = await ToyFlow.start(store, {
      handle: async ({ data }) => {
        if (data.n > 1) throw new Error('not yet');
      },
      retry: { immediate: [], later: [200_000] },
    });
    for (const name of names) await enqueue(store, name, 1);
    for (const name of names.slice(0, 6)) await enqueue(store, name, 2);
    for (const name of names.slice(6)) await enqueue(store, name, 'broken');
    await eventually(() => {
      const { retrying, parked } = alone.consumer.status();
      return retrying === 6 && parked === 6;
    });
    await alone.consumer.archive(alone.consumer.listParked()[0]!.record);
    await alone.consumer.pause();
    await alone.drain();

    const handled: number[] = [];
    const options: ToyOptions = {
      handle: async ({ data }) => void handled.push(data.n),
      now: () => Date.now() + 300_000,
    };
    const [a, b] = [await join(options), await join(options)];
    await eventually(() => slotsOf(a) === 2 && slotsOf(b) === 2);
    const sum = (count: 'retrying' | 'parked') => a.consumer.status()[count] + b.consumer.status()[count];
    await eventually(() => sum('retrying') === 6 && sum('parked') === 5);
    expect(a.consumer.listArchived().length + b.consumer.listArchived().length).toBe(1);
    expect(a.consumer.status().state).toBe('paused');
    await b.consumer.resume();
    await eventually(() => sum('retrying') === 0);
    expect(handled).toEqual([2, 2, 2, 2, 2, 2]);
    // The former bookkeeping is as it was.
    const own = (await records('runtime.retry')).filter(({ stream }) => keyOf(stream) === 'toy.consumer');
    const types = new Set(own.map(({ type }) => type));
    expect([...types]).toEqual(['runtime.retry-scheduled.v1', 'runtime.retry-taken-over.v1']);
  });
});

describe('a stream of bookkeeping', () => {
  it('cannot be written by whoever had it before it was taken over', async () => {
    const a = await join({ handle: done });
    const stream = 'runtime.checkpoint-toy.consumer.0';
    for await (const { revision } of store.readStream(stream, { direction: 'backwards', limit: 1 })) {
      const event = { id: newId(), type: 'runtime.checkpoint-reached.v1', data: { position: '0', epoch: 2 } };
      await store.append(stream, revision, [event]);
    }
    const flow = names.find((name) => partitionOf(name, partitions) === 0)!;
    await enqueue(store, flow, 1);
    // It finds out with its next checkpoint, says nothing of a failure, and takes the slot anew.
    await eventually(async () => {
      const taken = (await records('runtime.lease')).filter(({ stream }) => keyOf(stream) === 'bots.0');
      return taken.length > 1;
    });
    await eventually(() => slotsOf(a) === partitions);
    expect(a.failures).toEqual([]);
    expect(a.consumer.status().state).toBe('running');
  });
});
