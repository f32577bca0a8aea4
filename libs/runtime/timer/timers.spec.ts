import { afterEach, beforeEach, describe, expect, it, test } from '@jest/globals';
import { newId, streamName, type RecordedEvent } from '#libs/kernel';
import { defineTopology, Runtime, runtimeAgendas, runtimeTimers, stream } from '#libs/runtime';
import { openEventStoreDb, parseConnection } from '#libs/store/eventstoredb';
import { StoreUnavailable, WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { eventually, TemporaryStore, withFaults, type Faults } from '#libs/testing';
import { TemporaryFacade } from '#libs/testing/facade';
import { tearable } from '#libs/testing/flow';
import type { AgendaSize } from './agenda.js';
import { timersReactorOf } from './timers.reactor.js';

const minute = 60_000;
const day = 86_400_000;
/** A minute after midnight, UTC. */
const start = 10 * day + minute;
const usual: AgendaSize = { mostLoaded: 1_000, batchSize: 100 };

interface Place {
  readonly store: EventStore;
  remove(): Promise<void>;
}

async function eventStoreDb(): Promise<Place> {
  const facade = await TemporaryFacade.open();
  const connection = parseConnection(`esdb://127.0.0.1:${facade.facade.port}?tls=false`);
  const store = await openEventStoreDb({ connection });
  return {
    store,
    async remove() {
      await store.close();
      await facade.remove();
    },
  };
}

let place: Place;
let faults: Faults;
let now: number;
let runtime: Runtime<unknown>;

async function run(size = usual, store = withFaults(place.store, faults)): Promise<Runtime<unknown>> {
  const timersReactor = timersReactorOf(size);
  const runtime = new Runtime({
    store,
    topology: defineTopology([
      stream(runtimeTimers, { producers: [timersReactor], consumers: [timersReactor] }),
      stream(runtimeAgendas, { producers: [timersReactor], consumers: [timersReactor] }),
    ]),
    services: {},
    roles: new Set(['reactor']),
    log: { failed: () => {}, stopped: () => {} },
    now: () => now,
  });
  await runtime.start();
  return runtime;
}

async function restart(size = usual): Promise<void> {
  await runtime.drain();
  runtime = await run(size);
}

const status = () => runtime.status()[0]!;
const event = (type: string, data: object) => ({ id: newId(), type: `runtime.timer-${type}.v1`, data });

async function schedule(key: string, dueAt: number): Promise<void> {
  const scheduled = event('scheduled', { dueAt, purpose: 'test' });
  await place.store.append(`runtime.timer-${key}`, 'noStream', [scheduled]);
}

async function cancel(key: string): Promise<void> {
  await place.store.append(`runtime.timer-${key}`, 0n, [event('cancelled', { purpose: 'test' })]);
}

async function recordsOf(name: string): Promise<RecordedEvent[]> {
  const records: RecordedEvent[] = [];
  for await (const record of place.store.readStream(name)) records.push(record);
  return records;
}

const typesOf = async (key: string) => (await recordsOf(`runtime.timer-${key}`)).map(({ type }) => type);

const fired = ['runtime.timer-scheduled.v1', 'runtime.timer-fired.v1'];
const cancelled = ['runtime.timer-scheduled.v1', 'runtime.timer-cancelled.v1'];

/** All that was scheduled and cancelled so far has reached the timers. */
async function settled(): Promise<void> {
  const key = newId();
  await schedule(key, now);
  await eventually(async () => (await typesOf(key)).length === 2);
}

async function hasFired(...keys: readonly string[]): Promise<void> {
  await eventually(async () => {
    const types = await Promise.all(keys.map((key) => typesOf(key)));
    return types.every((ended) => ended.length === 2);
  });
}

const done = () => eventually(async () => status().position >= (await place.store.head()));

beforeEach(() => {
  faults = {};
  now = start;
});

afterEach(async () => {
  faults.beforeAppend = undefined;
  await runtime.drain();
  await place.remove();
});

describe.each([
  ['SQLite', () => TemporaryStore.open()],
  ['EventStoreDB', eventStoreDb],
])('a timer on %s', (_, open) => {
  beforeEach(async () => {
    place = await open();
    runtime = await run();
  });

  it('fires once, when it is due and not earlier', async () => {
    await schedule('one', start + minute);
    await settled();
    now = start + minute - 1;
    await settled();
    expect(await typesOf('one')).toHaveLength(1);
    now = start + minute;
    await hasFired('one');
    await settled();
    expect(await typesOf('one')).toEqual(fired);
  });

  it('does not fire once it is cancelled', async () => {
    await schedule('one', start + minute);
    await cancel('one');
    await settled();
    now = start + minute;
    await settled();
    expect(await typesOf('one')).toEqual(cancelled);
  });

  it('cannot be cancelled once it has fired', async () => {
    await schedule('one', start);
    await hasFired('one');
    await expect(cancel('one')).rejects.toThrow(WrongExpectedRevision);
  });

  it('follows from the record that scheduled it', async () => {
    const metadata = { $correlationId: 'flow', traceparent: 'trace', other: 1 };
    const scheduled = { ...event('scheduled', { dueAt: start, purpose: 'test' }), metadata };
    await place.store.append('runtime.timer-one', 'noStream', [scheduled]);
    await hasFired('one');
    const [, record] = await recordsOf('runtime.timer-one');
    expect(record!.metadata).toEqual({ $correlationId: 'flow', $causationId: scheduled.id, traceparent: 'trace' });
    expect(record!.data).toEqual({ purpose: 'test' });
  });

  it('that is cancelled right when it fires ends once, and is done with', async () => {
    let cancelling = true;
    faults.beforeAppend = async ([name]) => {
      if (name === 'runtime.timer-one' && cancelling) {
        cancelling = false;
        await cancel('one');
      }
    };
    await schedule('one', start);
    await hasFired('one');
    expect(await typesOf('one')).toEqual(cancelled);
    await done();
  });

  it('does not hold up the checkpoint, and fires after a restart that reads none of it again', async () => {
    await schedule('one', start + 30 * day);
    await settled();
    await done();
    const position = await place.store.head();
    await restart();
    expect(status().position).toBeGreaterThanOrEqual(position);
    now = start + 30 * day;
    await hasFired('one');
    expect(await typesOf('one')).toEqual(fired);
  });

  it('that came due while nobody was there fires at the start', async () => {
    await schedule('one', start + minute);
    await schedule('two', start + 3 * day);
    await settled();
    await runtime.drain();
    now = start + 5 * day;
    runtime = await run();
    await hasFired('one', 'two');
  });

  it('far in the future does not fire early', async () => {
    await schedule('one', start + 10 * 365 * day);
    await schedule('never', Number.MAX_VALUE);
    await settled();
    now = start + 2 ** 31 + 1;
    await settled();
    await restart();
    await settled();
    expect(await typesOf('one')).toHaveLength(1);
    expect(await typesOf('never')).toHaveLength(1);
  });

  it('that is due while the store is away fires when it is back', async () => {
    let refused = 0;
    faults.beforeAppend = ([name]) => {
      if (name === 'runtime.timer-one' && refused === 0) {
        refused += 1;
        throw new StoreUnavailable('gone');
      }
    };
    await schedule('one', start);
    await hasFired('one');
    expect(refused).toBe(1);
  });

  it('that could not be noted holds the checkpoint until it is', async () => {
    let away = true;
    faults.beforeAppend = ([name]) => {
      if (away && name!.startsWith(runtimeAgendas.category)) throw new StoreUnavailable('gone');
    };
    await schedule('one', start + minute);
    const [{ position }] = (await recordsOf('runtime.timer-one')) as [RecordedEvent];
    await eventually(() => status().lastError !== undefined || status().position < position);
    expect(status().position).toBeLessThan(position);
    away = false;
    await eventually(() => status().position >= position);
    now = start + minute;
    await hasFired('one');
  });

  it('does not fire while the consumer is paused, also after a restart', async () => {
    await schedule('one', start + minute);
    await settled();
    await runtime.consumer('runtime.timers')!.pause();
    await restart();
    now = start + minute;
    await schedule('two', start);
    await eventually(() => status().waiting === 1);
    expect(await typesOf('one')).toHaveLength(1);
    await runtime.consumer('runtime.timers')!.resume();
    await hasFired('one', 'two');
  });

  it('of a day that is over leaves nothing to be read', async () => {
    await schedule('today', start + minute);
    await schedule('tomorrow', start + day);
    await settled();
    const days = async () =>
      (await recordsOf(streamName(runtimeAgendas, 'days'))).map(({ data }) => (data as { days: number[] }).days).at(-1);
    expect(await days()).toEqual([10, 11]);
    now = start + 2 * day;
    await hasFired('today', 'tomorrow');
    await eventually(async () => (await days())!.length === 0);
    expect(await recordsOf(streamName(runtimeAgendas, '10'))).toEqual([]);
    expect(await recordsOf(streamName(runtimeAgendas, '11'))).toEqual([]);
    await schedule('late', start);
    await hasFired('late');
  });

  it('fires whatever the clock was set to', async () => {
    await schedule('one', start + 2 * minute);
    now = start + 3 * day;
    await hasFired('one');
    now = start;
    await schedule('two', start + minute);
    await settled();
    expect(await typesOf('two')).toHaveLength(1);
    await restart();
    now = start + 4 * day;
    await hasFired('two');
  });
});

test('timers fire once each, whichever append was the last one before a crash', async () => {
  place = await TemporaryStore.open();
  let survived = false;
  for (let appends = 0; !survived; appends += 1) {
    const tear = tearable(place.store);
    tear.left = appends;
    runtime = await run(usual, tear.store);
    const keys = ['past', 'soon', 'later'].map((key) => `${key}${appends}`);
    await Promise.all(keys.map((key, index) => schedule(key, now + (index - 1) * day)));
    now += minute;
    await eventually(async () => status().state === 'failed' || (await typesOf(keys[0]!)).length === 2);
    now += 2 * day;
    await eventually(async () => {
      const types = await Promise.all(keys.map((key) => typesOf(key)));
      return status().state === 'failed' || types.every((ended) => ended.length === 2);
    });
    survived = status().state !== 'failed';
    await runtime.drain();
    runtime = await run();
    await hasFired(...keys);
    for (const key of keys) expect(await typesOf(key)).toEqual(fired);
    await runtime.drain();
  }
}, 60_000);

describe('many timers', () => {
  beforeEach(async () => {
    place = await TemporaryStore.open();
  });

  const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`);
  const dueAtOf = (index: number): number => start + 1 + ((index * 7919) % 1_000);

  it.each([
    ['that fit into memory', 2_000, usual],
    ['of which a few are in memory', 500, { mostLoaded: 30, batchSize: 7 }],
  ])(
    'all end, each once, in whatever order they are due: %s',
    async (_, count, size) => {
      const keys = keysOf(count);
      runtime = await run(size);
      await Promise.all(keys.map((key, index) => schedule(key, dueAtOf(index))));
      const dropped = keys.filter((_, index) => index % 3 === 0);
      await Promise.all(dropped.map((key) => cancel(key)));
      await eventually(() => status().handled >= keys.length + dropped.length);
      now = start + 500;
      await hasFired(...keys.filter((_, index) => dueAtOf(index) <= now));
      await restart(size);
      now = start + 2_000;
      await hasFired(...keys);
      const types = await Promise.all(keys.map((key) => typesOf(key)));
      expect(types.filter((ended) => ended[1] === cancelled[1])).toHaveLength(dropped.length);
    },
    60_000,
  );

  it('that are due at the same moment fire, however few are in memory', async () => {
    runtime = await run({ mostLoaded: 10, batchSize: 50 });
    const keys = keysOf(300);
    await Promise.all(keys.map((key) => schedule(key, start + minute)));
    await settled();
    now = start + minute;
    await hasFired(...keys);
  });
});
