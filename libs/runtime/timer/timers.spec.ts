import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type RecordedEvent } from '#libs/kernel';
import { defineTopology, Runtime, runtimeTimers, stream, timersReactor } from '#libs/runtime';
import { StoreUnavailable, WrongExpectedRevision } from '#libs/store/port';
import { eventually, TemporaryStore, withFaults, type Faults } from '#libs/testing';

const topology = defineTopology([stream(runtimeTimers, { producers: [timersReactor], consumers: [timersReactor] })]);
const start = 1_000_000;

let temporary: TemporaryStore;
let faults: Faults;
let now: number;
let runtime: Runtime<unknown>;

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  faults = {};
  now = start;
  runtime = await run();
});

afterEach(async () => {
  faults.beforeAppend = undefined;
  await runtime.drain();
  await temporary.remove();
});

async function run(): Promise<Runtime<unknown>> {
  const runtime = new Runtime({
    store: withFaults(temporary.store, faults),
    topology,
    services: {},
    roles: new Set(['reactor']),
    log: { failed: () => {}, stopped: () => {} },
    now: () => now,
  });
  await runtime.start();
  return runtime;
}

const status = () => runtime.status()[0]!;
const event = (type: string, data: object) => ({ id: newId(), type: `runtime.timer-${type}.v1`, data });

async function schedule(key: string, dueAt: number): Promise<void> {
  const scheduled = event('scheduled', { dueAt, purpose: 'test' });
  await temporary.store.append(`runtime.timer-${key}`, 'noStream', [scheduled]);
}

async function cancel(key: string): Promise<void> {
  await temporary.store.append(`runtime.timer-${key}`, 0n, [event('cancelled', { purpose: 'test' })]);
}

async function recordsOf(key: string): Promise<RecordedEvent[]> {
  const records: RecordedEvent[] = [];
  for await (const record of temporary.store.readStream(`runtime.timer-${key}`)) records.push(record);
  return records;
}

const typesOf = async (key: string) => (await recordsOf(key)).map(({ type }) => type);

const fired = ['runtime.timer-scheduled.v1', 'runtime.timer-fired.v1'];
const cancelled = ['runtime.timer-scheduled.v1', 'runtime.timer-cancelled.v1'];

/** All that was scheduled and cancelled so far has reached the timers. */
async function settled(): Promise<void> {
  const head = await temporary.store.head();
  const key = newId();
  await schedule(key, now);
  await eventually(async () => (await typesOf(key)).length === 2 && (await temporary.store.head()) > head);
}

describe('a timer', () => {
  it('fires once, when it is due and not earlier', async () => {
    await schedule('one', start + 60_000);
    await settled();
    now = start + 59_999;
    await settled();
    expect(await typesOf('one')).toHaveLength(1);
    now = start + 60_000;
    await eventually(async () => (await typesOf('one')).length === 2);
    await settled();
    expect(await typesOf('one')).toEqual(fired);
  });

  it('does not fire once it is cancelled', async () => {
    await schedule('one', start + 60_000);
    await cancel('one');
    await settled();
    now = start + 60_000;
    await settled();
    expect(await typesOf('one')).toEqual(cancelled);
    await eventually(async () => status().position >= (await temporary.store.head()) - 1n);
  });

  it('cannot be cancelled once it has fired', async () => {
    await schedule('one', start);
    await eventually(async () => (await typesOf('one')).length === 2);
    await expect(cancel('one')).rejects.toThrow(WrongExpectedRevision);
  });

  it('that is cancelled right when it fires ends once, and is done with', async () => {
    let cancelling = true;
    faults.beforeAppend = async ([stream]) => {
      if (stream === 'runtime.timer-one' && cancelling) {
        cancelling = false;
        await cancel('one');
      }
    };
    await schedule('one', start);
    await eventually(async () => (await typesOf('one')).length === 2);
    expect(await typesOf('one')).toEqual(cancelled);
    await eventually(() => status().handled === 2);
  });

  it('survives a restart, and holds back the checkpoint until it has ended', async () => {
    await schedule('one', start + 60_000);
    await settled();
    const [{ position }] = (await recordsOf('one')) as [RecordedEvent];
    expect(status().position).toBeLessThan(position);
    await runtime.drain();
    now = start + 60_000;
    runtime = await run();
    await eventually(async () => (await typesOf('one')).length === 2);
    await eventually(() => status().position > 0n);
  });

  it('far in the future does not fire early', async () => {
    await schedule('one', start + 10 * 365 * 24 * 3_600_000);
    await settled();
    now = start + 2 ** 31 + 1;
    await settled();
    expect(await typesOf('one')).toHaveLength(1);
  });

  it('that is due while the store is away fires when it is back', async () => {
    let refused = 0;
    faults.beforeAppend = ([stream]) => {
      if (stream === 'runtime.timer-one' && refused === 0) {
        refused += 1;
        throw new StoreUnavailable('gone');
      }
    };
    await schedule('one', start);
    await eventually(async () => (await typesOf('one')).length === 2, { timeoutMs: 9_000 });
    expect(refused).toBe(1);
  }, 10_000);
});

describe('many timers', () => {
  it('all end, each once, in whatever order they are due', async () => {
    const keys = Array.from({ length: 2_000 }, (_, index) => `t${index}`);
    await Promise.all(keys.map((key, index) => schedule(key, start + ((index * 7919) % 1_000))));
    const dropped = keys.filter((_, index) => index % 3 === 0 && (index * 7919) % 1_000 > 0);
    await Promise.all(dropped.map((key) => cancel(key)));
    await settled();
    now = start + 1_000;
    await eventually(() => status().position > 0n && status().handled >= 4_000, { timeoutMs: 20_000 });
    const types = await Promise.all(keys.map((key) => typesOf(key)));
    expect(types.every((ended) => ended.length === 2)).toBe(true);
    expect(types.filter((ended) => ended[1] === cancelled[1])).toHaveLength(dropped.length);
  }, 30_000);
});
