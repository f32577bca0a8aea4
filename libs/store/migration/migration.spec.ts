import { expect, test, afterEach } from '@jest/globals';
import { newId, type RecordedEvent } from '#libs/kernel';
import type { EventStore, NewEvent } from '#libs/store/port';
import { TemporaryStore } from '#libs/testing/store';
import { migrate, MigrationRefused, type PositionIn } from './index.js';

const opened: TemporaryStore[] = [];

async function open(): Promise<EventStore> {
  const store = await TemporaryStore.open();
  opened.push(store);
  return store.store;
}

afterEach(async () => {
  for (const store of opened.splice(0)) await store.remove();
});

const positionIn: PositionIn = ({ type }) => (type === 'migrated.seen.v1' ? ['seen', 'position'] : undefined);

function event(type = 'migrated.tested.v1', data: unknown = { some: 'text' }): NewEvent {
  return { id: newId(), type, data, metadata: { $correlationId: newId(), traced: true } };
}

async function all(store: EventStore): Promise<RecordedEvent[]> {
  const records: RecordedEvent[] = [];
  for await (const record of store.readAll()) records.push(record);
  return records;
}

const essence = ({ id, type, stream, revision, created, data, metadata }: RecordedEvent) => {
  const { migratedFrom: _, ...own } = metadata;
  return { id, type, stream, revision, created, data, metadata: own };
};

/** Fails at an append, as if the process had died there. */
function dyingAfter(store: EventStore, appends: number): EventStore {
  let left = appends;
  return new Proxy(store, {
    get(target, name: keyof EventStore) {
      if (name === 'appendAll')
        return async (all: Parameters<EventStore['appendAll']>[0]) => {
          left -= 1;
          if (left >= 0) return target.appendAll(all);
          // Some of them get there, and nobody hears of it.
          await target.appendAll(all.slice(0, Math.ceil(all.length / 2)));
          throw new Error('killed');
        };
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('a copy has the same records in the same order, with ids, types, revisions, metadata and times', async () => {
  const [source, target] = [await open(), await open()];
  await source.append('migrated.event-a', 'noStream', [event(), event()]);
  await source.append('migrated.event-b', 'noStream', [event()]);
  await source.append('migrated.event-a', 1n, [event()]);
  const before = Date.now();
  const { records, sha256 } = await migrate({ source, target, positionIn });
  expect(records).toBe(4);
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  const copies = await all(target);
  expect(copies.map(essence)).toEqual((await all(source)).map(essence));
  expect(copies.every(({ created }) => created <= before)).toBe(true);
});

test('a position in a record becomes that of the copy of the record there, or before it', async () => {
  const [source, target] = [await open(), await open()];
  await target.append('other.event-1', 'noStream', [event(), event(), event()]);
  await source.append('migrated.event-a', 'noStream', [event()]);
  await source.append('$hidden-1', 'noStream', [event()]);
  await source.append('migrated.view-a', 'noStream', [event('migrated.seen.v1', { a: 1, seen: { position: '1' } })]);
  await source.append('migrated.view-a', 0n, [event('migrated.seen.v1', { a: 1, seen: { position: '2' } })]);
  await source.append('migrated.view-a', 1n, [event('migrated.seen.v1', { a: 1, seen: { position: '0' } })]);
  await migrate({ source, target, positionIn, intoFilled: true });
  const copies = (await all(target)).filter(({ stream }) => stream.startsWith('migrated.'));
  const views = copies.filter(({ type }) => type === 'migrated.seen.v1');
  const position = String(copies[0]!.position);
  expect(views.map(({ data }) => data)).toEqual([
    { a: 1, seen: { position } },
    { a: 1, seen: { position } },
    { a: 1, seen: { position: '0' } },
  ]);
});

test('only what names a position of the same append is appended apart', async () => {
  const [source, target] = [await open(), await open()];
  for (const [revision, position] of ['0', '1', '1', '3', '1'].entries()) {
    const seen = event('migrated.seen.v1', { seen: { position } });
    await source.append('migrated.view-a', revision === 0 ? 'noStream' : BigInt(revision - 1), [seen]);
  }
  const appended: number[] = [];
  const counting = new Proxy(target, {
    get(store, name: keyof EventStore) {
      if (name === 'appendAll')
        return (appends: Parameters<EventStore['appendAll']>[0]) => {
          appended.push(appends.length);
          return store.appendAll(appends);
        };
      const value = store[name];
      return typeof value === 'function' ? value.bind(store) : value;
    },
  });
  const { records } = await migrate({ source, target: counting, positionIn });
  expect(records).toBe(5);
  // The second names the first one; the fourth names the third, which is in the same append by then.
  expect(appended).toEqual([1, 2, 2]);
});

test('killed anywhere and called again, it goes on where it was', async () => {
  const [source, target] = [await open(), await open()];
  for (let index = 0; index < 6; index += 1)
    await source.append('migrated.event-a', index === 0 ? 'noStream' : BigInt(index - 1), [event()]);
  for (let index = 0; index < 6; index += 1)
    await source.append(`migrated.view-${index}`, 'noStream', [
      // Each names the record before it, so that it is appended by itself.
      event('migrated.seen.v1', { seen: { position: String(6 + index) } }),
    ]);
  let deaths = 0;
  for (; ; deaths += 1) {
    const outcome = await migrate({ source, target: dyingAfter(target, deaths % 2), positionIn }).catch(
      (error: Error) => error,
    );
    if (!(outcome instanceof Error)) break;
    expect(outcome.message).toBe('killed');
  }
  expect(deaths).toBeGreaterThan(3);
  expect((await all(target)).map(({ id }) => id)).toEqual((await all(source)).map(({ id }) => id));
});

test('called again after it is done, it only compares', async () => {
  const [source, target] = [await open(), await open()];
  await source.append('migrated.event-a', 'noStream', [event()]);
  const first = await migrate({ source, target, positionIn });
  expect(await migrate({ source, target, positionIn })).toEqual(first);
  expect(await all(target)).toHaveLength(1);
});

test('there and back again it is what it was', async () => {
  const [source, there, back] = [await open(), await open(), await open()];
  await source.append('migrated.event-a', 'noStream', [event(), event()]);
  const first = await migrate({ source, target: there, positionIn });
  expect(await migrate({ source: there, target: back, positionIn })).toEqual(first);
});

test('a stream whose beginning was given up starts at 0, and its metadata with it', async () => {
  const [source, target] = [await open(), await open()];
  await source.append('migrated.event-a', 'noStream', [event(), event(), event(), event()]);
  await source.setStreamMetadata('migrated.event-a', { truncateBefore: 2n, maxCount: 50 });
  await source.scavenge();
  await source.append('migrated.event-a', 3n, [event()]);
  await source.append('migrated.event-b', 'noStream', [event()]);
  await source.setStreamMetadata('migrated.event-b', { maxAge: 7 });
  const { records } = await migrate({ source, target, positionIn });
  expect(records).toBe(4);
  expect(await target.getStreamMetadata('migrated.event-a')).toEqual({ maxCount: 50 });
  expect(await target.getStreamMetadata('migrated.event-b')).toEqual({ maxAge: 7 });
  expect((await all(target)).map(({ revision }) => revision)).toEqual([0n, 1n, 2n, 0n]);
});

test('a target that holds something else is refused and left alone', async () => {
  const [source, target] = [await open(), await open()];
  await source.append('migrated.event-a', 'noStream', [event()]);
  await target.append('other.event-1', 'noStream', [event()]);
  await expect(migrate({ source, target, positionIn })).rejects.toThrow(MigrationRefused);
  expect(await all(target)).toHaveLength(1);
});

test('a target that holds a copy of another store is refused', async () => {
  const [one, other, target] = [await open(), await open(), await open()];
  await one.append('migrated.event-a', 'noStream', [event()]);
  await other.append('migrated.event-a', 'noStream', [event()]);
  await migrate({ source: one, target, positionIn });
  await expect(migrate({ source: other, target, positionIn })).rejects.toThrow('another store');
});

test('told to, it copies beside what is there, but into no stream that holds something else', async () => {
  const [source, target] = [await open(), await open()];
  await source.append('migrated.event-a', 'noStream', [event()]);
  await target.append('migrated.event-a', 'noStream', [event()]);
  const migrating = migrate({ source, target, positionIn, intoFilled: true });
  await expect(migrating).rejects.toThrow('migrated.event-a of the target holds something else');
});

test('a copy that was changed afterwards is found out', async () => {
  const [source, target] = [await open(), await open()];
  await source.append('migrated.event-a', 'noStream', [event()]);
  await migrate({ source, target, positionIn });
  const copy = (await all(target))[0]!;
  const changed = await open();
  await changed.append(copy.stream, 'noStream', [{ ...copy, data: { some: 'other text' } }]);
  await expect(migrate({ source, target: changed, positionIn })).rejects.toThrow(
    'the copy differs at migrated.event-a@0',
  );
});
