import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defineStream, newId, streamName, type RecordOf, type Schema } from '#libs/kernel';
import { StreamDeleted, WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { eventually, TemporaryStore, withFaults, type Faults } from '#libs/testing';
import { Runtime } from '../runtime.js';
import type { HandlerContext } from '../topology/access.js';
import { defineProjector } from '../topology/handler.js';
import { defineTopology, stream } from '../topology/topology.js';
import { ServedStreams } from './served-streams.js';
import { rebuildableView, type RebuildableView } from './view-status.js';
import { ViewSwitched } from './view-names.js';
import { ViewRebuilds } from './view-rebuilds.js';
import { ViewVersions } from './view-versions.js';

interface Sum {
  readonly sum: number;
  readonly position: string;
}

const added: Schema<{ readonly by: number }> = {
  problems: (data) => (typeof (data as { by: unknown }).by === 'number' ? [] : ['by must be a number']),
};
const anything: Schema<Sum> = { problems: () => [] };
const events = defineStream('sum', 'event', { 'sum.added.v1': added });
const views = defineStream('sum', 'view', { 'sum.view.v1': anything });
type Added = RecordOf<typeof events>;
type Context = HandlerContext<typeof events | typeof views, typeof views>;

function fold(view: Sum | undefined, records: readonly Added[]): Sum | undefined {
  return records.reduce<Sum | undefined>(
    (before, { data, position }) =>
      before !== undefined && position <= BigInt(before.position)
        ? before
        : { sum: (before?.sum ?? 0) + data.by, position: String(position) },
    view,
  );
}

/** What a handler has written, so that a test sees that a rebuild runs none. */
let handled: number;

const projector = defineProjector({
  name: 'sum.projector',
  reads: [events],
  looksUp: [views],
  writes: [views],
  rebuild: {
    view: views,
    type: 'sum.view.v1',
    keyOf: ({ stream: name }) => name.slice('sum.event-'.length),
    begins: ({ revision }) => revision === 0n,
    fold,
  },
  create: () => ({
    handle: async (record: Added, context: Context) => {
      handled += 1;
      const last = await context.last(views, context.correlationId);
      const view = fold(last?.data, [record]);
      if (view === last?.data) return;
      const write = context.write(views, context.correlationId, last?.revision ?? 'noStream', [
        { type: 'sum.view.v1', data: view! },
      ]);
      await context.append(write);
    },
  }),
});
const topology = defineTopology([
  stream(events, { producers: [], consumers: [projector] }),
  stream(views, { producers: [projector], consumers: [projector] }),
]);

let temporary: TemporaryStore;
let faults: Faults;
let store: EventStore;
let failures: unknown[];
let stopping: (() => Promise<void>)[];

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  faults = {};
  store = withFaults(temporary.store, faults);
  failures = [];
  stopping = [];
  handled = 0;
});

afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
  await temporary.remove();
});

/** A process with the projector. */
async function start(
  grace = 0,
  isShared = false,
): Promise<{ versions: ViewVersions; view: RebuildableView; end(): Promise<void> }> {
  const versions = new ViewVersions(store, [views]);
  await versions.start();
  const runtime = new Runtime({
    store,
    topology,
    services: {},
    roles: new Set(['projector']),
    views: versions,
    log: { failed: (...failure) => failures.push(failure), stopped: (...failure) => failures.push(failure) },
  });
  // Where others write the view, none of them is here.
  if (!isShared) await runtime.start();
  const rebuilds = new ViewRebuilds({
    store,
    versions,
    handlers: topology.handlers,
    runsHere: () => true,
    reached: ({ name }) => Promise.resolve(runtime.consumer(name)?.positionOf(0) ?? 0n),
    isShared,
    grace,
    log: { started: () => undefined, switched: () => undefined, failed: (...failure) => failures.push(failure) },
  });
  const end = async (): Promise<void> => {
    await rebuilds.stop();
    await runtime.drain();
    await versions.stop();
  };
  stopping.push(end);
  return { versions, view: rebuildableView(store, versions, views), end };
}

async function add(key: string, ...by: readonly unknown[]): Promise<void> {
  await store.append(
    streamName(events, key),
    'any',
    by.map((one) => ({ id: newId(), type: 'sum.added.v1', data: { by: one } })),
  );
}

async function lastView(key: string, version: number): Promise<Sum | undefined> {
  for await (const { data } of store.readStream(streamName(views, key, version), {
    direction: 'backwards',
    limit: 1,
  })) {
    return data as Sum;
  }
  return undefined;
}

async function sumOf(key: string, version: number): Promise<number | undefined> {
  return (await lastView(key, version))?.sum;
}

function serves(view: RebuildableView, version: number): Promise<true> {
  return eventually(async () => {
    const status = await view.status();
    return status.version === version && status.rebuild === undefined;
  });
}

test('a version is built beside the one that serves, which then goes on with it', async () => {
  const { view, versions } = await start();
  await add('a', 1, 2);
  await add('b', 5);
  await eventually(async () => (await sumOf('b', 1)) === 5);
  const before = handled;
  await view.rebuild();
  await serves(view, 2);
  expect(versions.versionOf(views)).toBe(2);
  expect(await lastView('a', 2)).toMatchObject({ sum: 3 });
  // No handler was run for it.
  expect(handled).toBe(before);
  await add('a', 4);
  await add('c', 1);
  await eventually(async () => (await sumOf('a', 2)) === 7 && (await sumOf('c', 2)) === 1);
  expect(failures).toEqual([]);
});

test('the version that served before is removed for ever', async () => {
  const { view } = await start();
  await add('a', 1);
  await eventually(() => sumOf('a', 1));
  await view.rebuild();
  await eventually(() =>
    sumOf('a', 1).then(
      () => false,
      (error: unknown) => error instanceof StreamDeleted,
    ),
  );
  expect(await sumOf('a', 2)).toBe(1);
});

test('a record that cannot be read is left out, and so is what comes after it in its flow', async () => {
  const { view } = await start();
  await add('a', 1, 'nonsense', 4);
  await add('b', 1);
  await eventually(() => sumOf('b', 1));
  await view.rebuild();
  await serves(view, 2);
  expect([await sumOf('a', 2), await sumOf('b', 2)]).toEqual([1, 1]);
});

test('asked for again, the same version goes on; given up, it is removed and the other serves on', async () => {
  const { view } = await start();
  await add('a', 1);
  await eventually(() => sumOf('a', 1));
  let goOn!: () => void;
  const blocked = new Promise<void>((resolve) => (goOn = resolve));
  faults.beforeAppend = async (streams) => {
    if (streams.some((name) => name.startsWith('sum.view.2-'))) await blocked;
  };
  const [one, other] = [await view.rebuild(), await view.rebuild()];
  expect([one.rebuild?.version, other.rebuild?.version]).toEqual([2, 2]);
  expect(await view.cancel()).toMatchObject({ version: 1, rebuild: undefined });
  goOn();
  await add('a', 1);
  await eventually(async () => (await sumOf('a', 1)) === 2);
  expect((await view.rebuild()).rebuild?.version).toBe(3);
  await serves(view, 3);
  expect(await sumOf('a', 3)).toBe(2);
});

test('a store that is away for a while is waited for', async () => {
  const { view } = await start();
  await add('a', 1);
  await eventually(() => sumOf('a', 1));
  let left = 3;
  faults.beforeAppend = (streams) => {
    if (streams.some((name) => name.startsWith('sum.view.2-')) && left-- > 0) throw new Error('away');
  };
  await view.rebuild();
  await eventually(async () => (await view.status()).version === 2);
  expect(await sumOf('a', 2)).toBe(1);
  expect(failures).toHaveLength(3);
});

test('ended while it is built, a version is built anew by the next process', async () => {
  const first = await start();
  await add('a', 1);
  await eventually(() => sumOf('a', 1));
  let isBlocked = true;
  faults.beforeAppend = async (streams) => {
    if (isBlocked && streams.some((name) => name.startsWith('sum.view.2-'))) throw new Error('not yet');
  };
  await first.view.rebuild();
  await first.end();
  isBlocked = false;
  const { view } = await start();
  await serves(view, 3);
  expect(await sumOf('a', 3)).toBe(1);
});

test('what another process has written to the version before, not knowing of the switch, comes to the new one', async () => {
  await add('a', 1);
  const { view } = await start(60_000, true);
  await view.rebuild();
  await serves(view, 2);
  await add('a', 2);
  await eventually(async () => (await sumOf('a', 2)) === 3);
});

/** What somebody sees who follows the views from now on. */
function followViews(): readonly string[] {
  const stop = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const { events: records } of new ServedStreams(store, [views]).subscribe(0n, stop.signal)) {
      seen.push(...records.map(({ stream: name, data }) => `${name} ${(data as Sum).sum}`));
    }
  })();
  stopping.push(() => {
    stop.abort();
    return following;
  });
  return seen;
}

test('who follows views sees each version up to the switch, and then what the next one has shown since', async () => {
  const { view } = await start();
  const seen = followViews();
  await add('a', 1);
  await eventually(() => seen.length === 1);
  await view.rebuild();
  await serves(view, 2);
  await add('a', 1);
  await eventually(() => seen.at(-1) === 'sum.view.2-a 2');
  expect(seen[0]).toBe('sum.view.1-a 1');
  expect(new Set(seen.slice(1, -1))).toEqual(new Set(seen.length > 2 ? ['sum.view.2-a 1'] : []));
});

test('who follows views sees what the projector had not come to before the switch', async () => {
  const { view } = await start(60_000, true);
  const seen = followViews();
  await add('a', 1);
  await view.rebuild();
  await serves(view, 2);
  await eventually(() => seen.includes('sum.view.2-a 1'));
});

test('property: whatever comes while it is built, no view is lost, and the versions are the same to the byte', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.record({ add: key, by: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }) }),
    fc.constant('rebuild' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const own = await TemporaryStore.open();
      store = own.store;
      const { view, end } = await start(60_000);
      const expected = new Map<string, number>();
      for (const one of steps) {
        if (one === 'rebuild') {
          await view.rebuild();
          continue;
        }
        await add(one.add, ...one.by);
        expected.set(
          one.add,
          one.by.reduce((sum, by) => sum + by, expected.get(one.add) ?? 0),
        );
      }
      await eventually(async () => (await view.status()).rebuild === undefined);
      const { version } = await view.status();
      for (const [name, sum] of expected) await eventually(async () => (await sumOf(name, version)) === sum);
      await view.rebuild();
      await serves(view, version + 1);
      for (const name of expected.keys()) {
        const [live, rebuilt] = [await lastView(name, version), await lastView(name, version + 1)];
        expect(JSON.stringify(rebuilt)).toBe(JSON.stringify(live));
      }
      stopping.splice(stopping.indexOf(end), 1);
      await end();
      await own.remove();
    }),
    { numRuns: 15 },
  );
  // A handler that has read the version before, or was about to write to it, looks again.
  const isSwitch = (part: unknown) => part instanceof ViewSwitched || part instanceof WrongExpectedRevision;
  expect(failures.filter((failure) => !(failure as unknown[]).some(isSwitch))).toEqual([]);
});
