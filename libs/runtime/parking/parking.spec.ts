import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventStore } from '#libs/store/port';
import { enqueue, eventually, TemporaryStore, ToyFlow, withFaults, type Faults, type ToyOptions } from '#libs/testing';

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
  faults.beforeAppend = undefined;
  await Promise.all(flows.splice(0).map((flow) => flow.drain()));
  await temporary.remove();
});

async function start(failing: ReadonlySet<number>, options: Partial<ToyOptions> = {}) {
  const handled: number[] = [];
  const flow = await ToyFlow.start(store, {
    handle: async ({ data }) => {
      if (failing.has(data.n)) throw new Error(`${data.n} is broken`);
      handled.push(data.n);
    },
    strictOrder: true,
    retry: { immediate: [], later: [] },
    ...options,
  });
  flows.push(flow);
  return { flow, handled, consumer: flow.consumer };
}

/** Flow a: 1 fails, 2 and 3 wait behind it. Flow b: 4. */
async function startWithBlockedFlow(failing = new Set([1])) {
  const started = await start(failing);
  const id = await enqueue(store, 'a', 1);
  await enqueue(store, 'a', 2);
  await enqueue(store, 'a', 3);
  await enqueue(store, 'b', 4);
  const { consumer, handled } = started;
  await eventually(() => consumer.status().parked === 1 && consumer.status().retrying === 2 && handled.length === 1);
  return { ...started, failing, record: { id, stream: 'toy.operation-a' } };
}

describe('where order is strict', () => {
  it('later records of a flow wait behind the one that failed, other flows go on, and the checkpoint too', async () => {
    const { consumer, handled } = await startWithBlockedFlow();
    expect(handled).toEqual([4]);
    await eventually(() => consumer.status().position >= 4n);
  });

  it('a retry that succeeds releases those behind it in order', async () => {
    let failures = 1;
    const handled: number[] = [];
    await start(new Set(), {
      handle: async ({ data }) => {
        if (data.n === 1 && failures-- > 0) throw new Error('once');
        handled.push(data.n);
      },
      retry: { immediate: [], later: [50] },
    });
    await Promise.all([1, 2, 3, 4].map((n) => enqueue(store, 'a', n)));
    await eventually(() => handled.length === 4);
    expect(handled).toEqual([1, 2, 3, 4]);
  });

  it('a redrive hands the record out again, and then those behind it in order', async () => {
    const { consumer, handled, failing, record } = await startWithBlockedFlow();
    failing.clear();
    const [first, second] = await Promise.all([consumer.redrive(record), consumer.redrive(record)]);
    expect([first, second].sort()).toEqual([false, true]);
    await enqueue(store, 'a', 5);
    await eventually(() => handled.length === 5);
    expect(handled).toEqual([4, 1, 2, 3, 5]);
    await eventually(() => consumer.status().retrying === 0);
    expect(consumer.listParked()).toEqual([]);
  });

  it('a redrive that fails parks the record again, and those behind it wait on', async () => {
    const { consumer, handled, record } = await startWithBlockedFlow();
    await consumer.redrive(record);
    await eventually(() => consumer.status().parked === 1 && consumer.status().retrying === 2);
    expect(handled).toEqual([4]);
  });

  it('an archive skips the record', async () => {
    const { consumer, handled, record } = await startWithBlockedFlow();
    expect(await consumer.archive(record)).toBe(true);
    expect(await consumer.archive(record)).toBe(false);
    expect(await consumer.redrive(record)).toBe(false);
    await eventually(() => handled.length === 3);
    expect(handled).toEqual([4, 2, 3]);
  });

  it.each([
    ['parked at once', 0],
    ['retried before it was parked', 1],
  ])('a flow that waits behind a record %s survives a restart, and an archive does', async (_, retries) => {
    const retry = { immediate: [], later: Array.from({ length: retries }, () => 1) };
    const first = await start(new Set([1, 2]), { retry });
    const id = await enqueue(store, 'a', 1);
    const second = await enqueue(store, 'a', 2);
    await enqueue(store, 'a', 3);
    await eventually(() => first.consumer.status().parked === 1 && first.consumer.status().retrying === 2);
    await first.flow.drain();

    const restarted = await start(new Set([2]), { retry });
    expect(restarted.consumer.listParked().map(({ record }) => record.id)).toEqual([id]);
    expect(restarted.consumer.status().retrying).toBe(2);
    await restarted.consumer.archive({ id, stream: 'toy.operation-a' });
    await eventually(() => restarted.consumer.listParked()[0]?.record.id === second);
    await eventually(() => restarted.consumer.status().retrying === 1);
    await restarted.consumer.archive({ id: second, stream: 'toy.operation-a' });
    await eventually(() => restarted.handled.length === 1);
    await restarted.flow.drain();

    const last = await start(new Set(), { retry });
    expect(last.consumer.status()).toMatchObject({ parked: 0, retrying: 0 });
    await enqueue(store, 'a', 5);
    await eventually(() => last.handled.length === 1);
    expect([...restarted.handled, ...last.handled]).toEqual([3, 5]);
  });

  it('a redrive survives a restart, before those behind it', async () => {
    const { consumer, failing, record, flow } = await startWithBlockedFlow();
    let redriven = false;
    // Killed between the two records of a redrive.
    faults.beforeAppend = ([stream]) => {
      if (stream!.startsWith('runtime.parked')) {
        redriven = true;
        return new Promise(() => {});
      }
    };
    await consumer.pause();
    void consumer.redrive(record);
    await eventually(() => redriven);
    await flow.drain();
    faults.beforeAppend = undefined;
    failing.clear();

    const restarted = await start(new Set());
    await restarted.consumer.resume();
    await eventually(() => restarted.handled.length === 3);
    expect(restarted.handled).toEqual([1, 2, 3]);
    await eventually(() => restarted.consumer.status().retrying === 0);
    expect(restarted.consumer.listParked()).toEqual([]);
  });
});

it('an archived record is not handled although it is handed out again after a restart', async () => {
  const first = await start(new Set(), {
    // The first record is not done before the consumer stops, and keeps the checkpoint back.
    handle: ({ data }, { signal }) =>
      new Promise((_resolve, reject) => {
        if (data.n === 2) reject(new Error('broken'));
        else signal.addEventListener('abort', () => reject(new Error('stopped')));
      }),
    strictOrder: false,
  });
  await enqueue(store, 'a', 1);
  const id = await enqueue(store, 'b', 2);
  await eventually(() => first.consumer.status().parked === 1);
  await first.consumer.archive({ id, stream: 'toy.operation-b' });
  expect(first.consumer.listArchived()).toMatchObject([{ record: { id }, archivedAt: expect.any(Number) }]);
  await first.flow.drain();

  const restarted = await start(new Set(), { strictOrder: false });
  expect(restarted.consumer.listArchived()).toMatchObject([{ record: { id }, archivedAt: expect.any(Number) }]);
  await enqueue(store, 'c', 3);
  await eventually(() => restarted.handled.length === 2);
  expect(restarted.handled).toEqual([1, 3]);
});
