import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventStore } from '#libs/store/port';
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
let skipped: number;
const flows: ToyFlow[] = [];
const now = () => Date.now() + skipped;

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  faults = {};
  skipped = 0;
  store = withFaults(temporary.store, faults);
});

afterEach(async () => {
  faults.beforeAppend = undefined;
  await Promise.all(flows.splice(0).map((flow) => flow.drain()));
  await temporary.remove();
});

/** Numbers handled, and numbers that fail. */
async function start(options: Partial<ToyOptions> & { readonly failing?: Set<number> } = {}) {
  const { failing = new Set<number>(), ...rest } = options;
  const handled: number[] = [];
  const tried: number[] = [];
  const flow = await ToyFlow.start(store, {
    handle: async ({ data }) => {
      tried.push(data.n);
      if (failing.has(data.n)) throw new Error(`${data.n} is broken`);
      handled.push(data.n);
    },
    retry: never,
    now,
    ...rest,
  });
  flows.push(flow);
  return { flow, handled, tried, consumer: flow.consumer, failing };
}

const never = { immediate: [], later: [] };
const anHour = 3_600_000;

describe('a record that fails', () => {
  it('is tried again at once, then from the retry stream, then parked with its history', async () => {
    const { consumer, tried, flow } = await start({
      failing: new Set([1]),
      retry: { immediate: [1, 1], later: [1, 1] },
    });
    const id = await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().parked === 1 && consumer.status().retrying === 0);
    expect(tried).toHaveLength(9);
    expect(flow.failures.map(({ action }) => action)).toEqual([
      'again',
      'again',
      'later',
      'again',
      'again',
      'later',
      'again',
      'again',
      'park',
    ]);
    const [parked] = consumer.listParked();
    expect(parked).toMatchObject({
      record: { id, type: 'toy.do.v1', stream: 'toy.operation-a', revision: '0' },
      correlationId: 'a',
      tries: Array.from({ length: 3 }, () => ({ at: expect.any(Number), error: '1 is broken' })),
    });
    expect(consumer.status().lastError?.error).toBe('1 is broken');
  });

  it('does not hold up others, of its own flow neither, where order is not strict', async () => {
    const { consumer, handled } = await start({ failing: new Set([1]) });
    await enqueue(store, 'a', 1);
    await enqueue(store, 'a', 2);
    await enqueue(store, 'b', 3);
    await eventually(() => handled.length === 2);
    expect([...handled].sort()).toEqual([2, 3]);
    await eventually(async () => consumer.status().position >= (await store.head()) - 2n);
    expect(consumer.listParked()).toHaveLength(1);
  });

  it('is retried when it is due, not earlier, and only once', async () => {
    const { consumer, handled, tried, failing } = await start({
      failing: new Set([1]),
      retry: { immediate: [], later: [anHour] },
    });
    await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().retrying === 1);
    failing.clear();
    await enqueue(store, 'a', 2);
    await eventually(() => handled.length === 1);
    expect(tried).toEqual([1, 2]);
    skipped = anHour;
    await eventually(() => consumer.status().retrying === 0);
    expect(tried).toEqual([1, 2, 1]);
  });

  it('stays in the retry stream over a restart', async () => {
    const first = await start({ failing: new Set([1]), retry: { immediate: [], later: [anHour] } });
    await enqueue(store, 'a', 1);
    await eventually(() => first.consumer.status().retrying === 1);
    await first.flow.drain();
    const second = await start();
    expect(second.consumer.status().retrying).toBe(1);
    skipped = anHour;
    await eventually(() => second.handled.length === 1);
    await eventually(() => second.consumer.status().retrying === 0);
  });

  it('is not handled beside its retry when its checkpoint was lost', async () => {
    const first = await start({ failing: new Set([1, 2]), retry: { immediate: [], later: [anHour] } });
    faults.beforeAppend = ([stream]) => {
      if (stream!.startsWith('runtime.checkpoint')) return new Promise(() => {});
    };
    await enqueue(store, 'a', 1);
    await eventually(() => first.consumer.status().retrying === 1);
    // Killed: nothing of it goes on.
    const second = await start();
    await enqueue(store, 'a', 3);
    await eventually(() => second.handled.length === 1);
    expect(second.handled).toEqual([3]);
    expect(second.consumer.status().retrying).toBe(1);
    faults.beforeAppend = undefined;
  });

  it('gets its turn although a backlog keeps the consumer busy', async () => {
    const handled: number[] = [];
    let failures = 1;
    for (let n = 0; n < 500; n += 1) await enqueue(store, `flow${n}`, n);
    await start({
      handle: async ({ data }, context) => {
        await context.read(toyEvents, context.correlationId);
        if (data.n === 0 && failures-- > 0) throw new Error('once');
        handled.push(data.n);
      },
      concurrency: 1,
      retry: { immediate: [], later: [0] },
    });
    await eventually(() => handled.length === 500);
    expect(handled.indexOf(0)).toBeLessThan(400);
  });

  it('keeps no more of a long error than a part, so that it can always be parked', async () => {
    const { consumer } = await start({ handle: () => Promise.reject(new Error('x'.repeat(2_000_000))) });
    await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().parked === 1);
    expect(consumer.listParked()[0]!.tries[0]!.error).toHaveLength(500);
  });

  it('is told from one with the same id in another stream', async () => {
    const { consumer, handled } = await start({ failing: new Set([1]) });
    const id = await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().parked === 1);
    await store.append('toy.operation-b', 'noStream', [{ id, type: 'toy.do.v1', data: { n: 2 } }]);
    await eventually(() => handled.length === 1);
  });

  it('is done with when its stream is gone before the retry', async () => {
    const { consumer } = await start({ failing: new Set([1]), retry: { immediate: [], later: [anHour] } });
    await enqueue(store, 'a', 1);
    await eventually(() => consumer.status().retrying === 1);
    await store.tombstoneStream('toy.operation-a', 0n);
    skipped = anHour;
    await eventually(() => consumer.status().retrying === 0);
    expect(consumer.status()).toMatchObject({ state: 'running', parked: 0 });
  });
});

describe('an invalid record', () => {
  it.each([
    ['of an unknown type', 1, 'toy.undo.v1', 'unknown type; toy.operation holds toy.do.v1'],
    ['whose data does not fit', 'one', 'toy.do.v1', 'n must be a number'],
  ])('%s is parked at once with the reasons, and others go on', async (_, n, type, reason) => {
    const { consumer, handled } = await start({ retry: { immediate: [1], later: [1] } });
    const id = await enqueue(store, 'a', n, type);
    await enqueue(store, 'a', 2);
    await eventually(() => handled.length === 1 && consumer.status().parked === 1);
    const [{ record, tries }] = consumer.listParked() as [ReturnType<typeof consumer.listParked>[0]];
    expect(record.id).toBe(id);
    expect(tries).toHaveLength(1);
    expect(tries[0]!.error).toContain(reason);
  });
});
