import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '#libs/kernel';
import { RetryLater } from '#libs/runtime';
import { StoreUnavailable, WrongExpectedRevision, type EventStore } from '#libs/store/port';
import {
  enqueue,
  eventually,
  TemporaryStore,
  toyEvents,
  ToyFlow,
  withFaults,
  type Faults,
  type ToyOptions,
} from '#libs/testing';

let temporary: TemporaryStore;
let store: EventStore;
let faults: Faults;
const flows: ToyFlow[] = [];

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  faults = {};
  store = withFaults(temporary.store, faults);
});

afterEach(async () => {
  faults = Object.assign(faults, { beforeAppend: undefined, afterAppend: undefined, beforeRead: undefined });
  await Promise.all(flows.splice(0).map((flow) => flow.drain()));
  await temporary.remove();
});

async function start(options: ToyOptions): Promise<ToyFlow> {
  const flow = await ToyFlow.start(store, options);
  flows.push(flow);
  return flow;
}

/** A handler whose records wait until the test lets them go. */
function gate() {
  const begun: number[] = [];
  const waiting = new Map<number, () => void>();
  return {
    begun,
    handle: ({ data }: { data: { n: number } }): Promise<void> => {
      begun.push(data.n);
      return new Promise((resolve) => waiting.set(data.n, resolve));
    },
    open: async (n: number): Promise<void> => (await eventually(() => waiting.get(n)))(),
  };
}

async function checkpoints(): Promise<bigint[]> {
  const found: bigint[] = [];
  for await (const { data } of temporary.store.readStream('runtime.checkpoint-toy.consumer')) {
    found.push(BigInt((data as { position: string }).position));
  }
  return found;
}

async function positions(): Promise<bigint[]> {
  const records: RecordedEvent[] = [];
  for await (const record of temporary.store.readAll({ filter: { categories: ['toy.operation'] } }))
    records.push(record);
  return records.map(({ position }) => position);
}

const never = { immediate: [], later: [] };

describe('Consumer', () => {
  it('keeps order within a flow and handles flows side by side', async () => {
    const { begun, handle, open } = gate();
    await start({ handle });
    await enqueue(store, 'a', 1);
    await enqueue(store, 'a', 2);
    await enqueue(store, 'b', 3);
    await eventually(() => begun.length === 2);
    expect(begun).toEqual([1, 3]);
    await open(1);
    await eventually(() => begun.length === 3);
    expect(begun).toEqual([1, 3, 2]);
    await open(2);
    await open(3);
  });

  it('does not let its position overtake a record, and passes over what it does not read', async () => {
    const { handle, open } = gate();
    const { consumer } = await start({ handle });
    await enqueue(store, 'a', 1);
    await enqueue(store, 'b', 2);
    await enqueue(store, 'c', 3);
    const [first, , last] = await positions();
    await temporary.store.append('other.event-1', 'noStream', [
      { id: '018f0000-0000-7000-8000-000000000000', type: 'x', data: {} },
    ]);
    const head = await store.head();
    await open(3);
    await open(2);
    await eventually(() => consumer.status().handled === 2);
    expect(consumer.status().position).toBeLessThan(first!);
    await open(1);
    await eventually(() => consumer.status().position === head);
    expect(head).toBeGreaterThan(last!);
  });

  it('saves its checkpoint, and goes on behind it after a restart without losing what was not done', async () => {
    const { handle, open, begun } = gate();
    const first = await start({ handle });
    await enqueue(store, 'a', 1);
    await enqueue(store, 'b', 2);
    await enqueue(store, 'c', 3);
    await open(1);
    await open(3);
    await eventually(() => first.consumer.status().handled === 2);
    await eventually(async () => (await checkpoints()).at(-1) === (await positions())[0]);
    const draining = first.drain();
    await open(2);
    await draining;
    expect((await checkpoints()).at(-1)).toBeGreaterThanOrEqual((await positions())[2]!);
    expect(first.consumer.status().state).toBe('stopped');

    const again: number[] = [];
    const second = await start({ handle: async ({ data }) => void again.push(data.n) });
    await enqueue(store, 'a', 4);
    await eventually(() => second.consumer.status().handled === 1);
    expect(again).toEqual([4]);
    expect(begun.sort()).toEqual([1, 2, 3]);
  });

  it('hands out again what was not done when it stopped', async () => {
    let begun = false;
    const first = await start({
      handle: (_record, { signal }) =>
        new Promise((_resolve, reject) => {
          begun = true;
          signal.addEventListener('abort', () => reject(new Error('stopped')));
        }),
      retry: never,
    });
    await enqueue(store, 'a', 1);
    await enqueue(store, 'a', 2);
    await eventually(() => begun);
    await first.drain();
    expect(first.consumer.listParked()).toEqual([]);
    const again: number[] = [];
    await start({ handle: async ({ data }) => void again.push(data.n) });
    await eventually(() => again.length === 2);
    expect(again).toEqual([1, 2]);
  });

  it('hands out nothing while it is paused, retries neither', async () => {
    const handled: number[] = [];
    let skipped = 0;
    const { consumer } = await start({
      handle: async ({ data }) => {
        if (data.n === 1 && handled.length === 0 && skipped === 0) throw new Error('once');
        handled.push(data.n);
      },
      retry: { immediate: [], later: [1_000] },
      now: () => Date.now() + skipped,
    });
    await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().retrying === 1);
    await consumer.pause();
    expect(consumer.status()).toMatchObject({ state: 'paused', pausedAt: expect.any(Number) });
    await enqueue(store, 'b', 2);
    skipped = 10_000;
    let reads = 0;
    faults.beforeRead = () => (reads += 1);
    // The retry is due and its record read: only the pause keeps it back.
    await eventually(() => reads > 0);
    await store.head();
    expect(handled).toEqual([]);
    await consumer.resume();
    expect(consumer.status()).toMatchObject({ state: 'running', pausedAt: undefined });
    await eventually(() => handled.length === 2);
    expect([...handled].sort()).toEqual([1, 2]);
  });

  it('stays paused over a restart, and goes on where it was', async () => {
    const handled: number[] = [];
    const options = { handle: async ({ data }: { data: { n: number } }) => void handled.push(data.n) };
    const first = await start(options);
    await enqueue(store, 'a', 1);
    await eventually(() => handled.length === 1);
    await first.consumer.pause();
    await enqueue(store, 'a', 2);
    await first.drain();

    const second = await start(options);
    expect(second.consumer.status()).toMatchObject({ state: 'paused', pausedAt: expect.any(Number) });
    await eventually(() => second.consumer.status().waiting === 1);
    expect(handled).toEqual([1]);
    await second.consumer.resume();
    await eventually(() => handled.length === 2);
    await second.drain();

    const third = await start(options);
    expect(third.consumer.status().state).toBe('running');
    expect(handled).toEqual([1, 2]);
  });

  it('waits while the store is away: nothing is parked, and it goes on afterwards', async () => {
    let away = true;
    const { consumer, failures } = await start({
      handle: async ({ stream, data }, context) => {
        await context.append(context.write(toyEvents, stream, 'noStream', [{ type: 'toy.done.v1', data }]));
      },
      retry: never,
    });
    faults.beforeAppend = ([stream]) => {
      if (away && stream!.startsWith('toy.event')) throw new StoreUnavailable('the server is gone');
    };
    await enqueue(store, 'a', 1);
    await eventually(() => failures.length >= 2);
    expect(failures.every(({ action }) => action === 'hold')).toBe(true);
    expect(consumer.status()).toMatchObject({ state: 'running', parked: 0, retrying: 0, handled: 0 });
    away = false;
    await eventually(() => consumer.status().handled === 1);
  });

  it('drains although the store is away and records fail', async () => {
    const flow = await start({
      handle: () => Promise.reject(new Error('broken')),
      retry: { immediate: [], later: [1] },
    });
    let refused = 0;
    faults.beforeAppend = ([stream]) => {
      if (!stream!.startsWith('runtime.')) return;
      refused += 1;
      throw new StoreUnavailable('the server is gone');
    };
    await enqueue(store, 'a', 1);
    await eventually(() => refused > 1);
    await flow.drain();
    expect(flow.consumer.status().state).toBe('stopped');
  });

  it('stops for good when somebody else writes its bookkeeping', async () => {
    const handled: number[] = [];
    const { consumer, failures } = await start({ handle: async ({ data }) => void handled.push(data.n) });
    faults.beforeAppend = ([stream]) => {
      if (stream!.startsWith('runtime.checkpoint')) throw new WrongExpectedRevision(stream!, 0n, 1n);
    };
    await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().state === 'failed');
    faults.beforeAppend = undefined;
    expect(failures.map(({ action }) => action)).toEqual(['stopped']);
    await enqueue(store, 'a', 2);
    await consumer.pause();
    await consumer.resume();
    await flows[0]!.drain();
    expect(handled).toEqual([1]);
    expect(await checkpoints()).toEqual([]);
  });

  it('fails when the store will not come back', async () => {
    const { consumer } = await start({ handle: () => Promise.reject(new StoreUnavailable('closed', true)) });
    await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().state === 'failed');
    expect(consumer.status().lastError?.error).toBe('closed');
  });

  it('appends its bookkeeping once although the outcome of an append is unknown', async () => {
    const { consumer } = await start({ handle: () => Promise.reject(new Error('broken')), retry: never });
    let unknown = 2;
    faults.afterAppend = ([stream]) => {
      if (stream!.startsWith('runtime.parked') && unknown-- > 0) throw new StoreUnavailable('no answer');
    };
    const id = await enqueue(store, 'a', 1);
    await eventually(() => unknown < 0);
    await eventually(() => consumer.status().position > 0n);
    expect(consumer.listParked().map(({ record }) => record.id)).toEqual([id]);
    const stream: RecordedEvent[] = [];
    for await (const record of store.readStream('runtime.parked-toy.consumer')) stream.push(record);
    expect(stream).toHaveLength(1);
  });
});

describe('deferred records', () => {
  it('let the next one of the flow go on, and hold the checkpoint', async () => {
    const settle = new Map<number, (done: boolean) => void>();
    const { consumer } = await start({
      handle: async ({ data }) => ({ settled: new Promise((resolve) => settle.set(data.n, resolve)) }),
    });
    await enqueue(store, 'a', 1);
    await enqueue(store, 'a', 2);
    await eventually(() => settle.size === 2);
    settle.get(2)!(true);
    await eventually(() => consumer.status().handled === 1);
    const [first, second] = await positions();
    expect(consumer.status().position).toBeLessThan(first!);
    settle.get(1)!(true);
    await eventually(() => consumer.status().position >= second!);
  });

  it('that are left undone are handed out again after a restart', async () => {
    let leave!: (done: boolean) => void;
    const first = await start({
      handle: async () => ({ settled: new Promise((resolve) => (leave = resolve)) }),
      stop: async () => leave(false),
    });
    await enqueue(store, 'a', 1);
    await eventually(() => leave !== undefined);
    await first.drain();
    const again: number[] = [];
    await start({ handle: async ({ data }) => void again.push(data.n) });
    await eventually(() => again.length === 1);
  });

  it('that fail are retried; while the store is away they are handed out again until it is back', async () => {
    const errors = [new Error('broken'), new StoreUnavailable('gone')];
    const { consumer, failures } = await start({
      handle: async () => {
        const error = errors.pop();
        return { settled: error === undefined ? Promise.resolve(true) : Promise.reject(error) };
      },
      retry: { immediate: [], later: [1] },
    });
    await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().handled === 1);
    expect(failures.map(({ action }) => action)).toEqual(['hold', 'later']);
    await eventually(async () => consumer.status().position >= (await positions())[0]!);
  });

  it('beyond the most that may be deferred are not taken in', async () => {
    const settle: ((done: boolean) => void)[] = [];
    const { consumer } = await start({
      handle: async () => ({ settled: new Promise((resolve) => settle.push(resolve)) }),
      concurrency: 1,
      mostDeferred: 2,
    });
    for (let n = 0; n < 40; n += 1) await enqueue(store, `flow${n}`, n);
    await eventually(() => settle.length >= 2);
    const taken = settle.length;
    expect(taken).toBeLessThan(40);
    for (let done = 0; done < 40; done += 1) (await eventually(() => settle[done]))(true);
    await eventually(() => consumer.status().handled === 40);
  });
});

describe('RetryLater', () => {
  it('is no failure: the record comes again when it said, and is never parked', async () => {
    let tries = 0;
    const { consumer, failures } = await start({
      handle: async (_record, context) => {
        tries += 1;
        if (tries < 5) throw new RetryLater(context.now(), 'not yet');
      },
      retry: never,
    });
    await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().handled === 1);
    expect(tries).toBe(5);
    expect(failures).toEqual([]);
    expect(consumer.status()).toMatchObject({ parked: 0, retrying: 0, lastError: undefined });
  });
});
