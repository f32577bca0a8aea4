import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { StoreUnusable, type SubscriptionBatch } from '#libs/store/port';
import { followSqliteStore, openSqliteStore, type SqliteEventStore, type SqliteFollower } from './index.js';

let directory: string;
let store: SqliteEventStore;
let follower: SqliteFollower;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidings-follower-'));
  store = await openSqliteStore({ directory });
  await append();
  follower = await followSqliteStore(directory, await store.head());
});

afterEach(async () => {
  await follower.close();
  await store.close();
  await rm(directory, { recursive: true });
});

async function append(stream = 'followed.event-1'): Promise<string> {
  const id = newId();
  await store.append(stream, 'any', [{ id, type: 'followed.tested.v1', data: {} }]);
  return id;
}

test('it reads what stands, and no further than it was told', async () => {
  await append();
  const positions: bigint[] = [];
  for await (const { position } of follower.readAll()) positions.push(position);
  expect(positions).toEqual([1n]);
  expect(await follower.head()).toBe(1n);
});

test('whoever follows all streams gets what comes, once and in order', async () => {
  const ids: string[] = [];
  const wanted = 200;
  const following = (async () => {
    for await (const { events } of follower.subscribeToAll({ after: 1n })) {
      ids.push(...events.map(({ id }) => id));
      if (ids.length >= wanted) return;
    }
  })();
  const appended: string[] = [];
  for (let index = 0; index < wanted; index += 1) {
    appended.push(await append(`followed.event-${index % 7}`));
    if (index % 3 === 0) follower.advance(await store.head());
  }
  follower.advance(await store.head());
  await following;
  expect(ids).toEqual(appended);
});

test('whoever follows one stream gets what comes', async () => {
  const following = follower.subscribeToStream('followed.event-1', { after: 0n })[Symbol.asyncIterator]();
  const next = async (): Promise<bigint[]> => {
    for (;;) {
      const { events } = (await following.next()).value as SubscriptionBatch;
      if (events.length > 0) return events.map(({ revision }) => revision);
    }
  };
  for (const revision of [1n, 2n]) {
    const coming = next();
    await append();
    follower.advance(await store.head());
    expect(await coming).toEqual([revision]);
  }
});

test('where there is no store, none is made', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'tidings-follower-'));
  await expect(followSqliteStore(empty, 0n)).rejects.toThrow(StoreUnusable);
  await rm(empty, { recursive: true });
});
