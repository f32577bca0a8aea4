import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import Database from 'libsql';
import { newId } from '#libs/kernel';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { copySqliteStore } from './copy.js';
import { openSqliteStore, type SqliteEventStore } from './sqlite-store.js';

let root: string;
let directory: string;
let target: string;
let opened: SqliteEventStore[];

beforeEach(async () => {
  opened = [];
  root = await mkdtemp(join(tmpdir(), 'tidings-copy-'));
  [directory, target] = [join(root, 'data'), join(root, 'copy')];
  await Promise.all([mkdir(directory), mkdir(target)]);
});

afterEach(async () => {
  for (const store of opened) await store.close();
  await rm(root, { recursive: true });
});

async function open(folder: string): Promise<SqliteEventStore> {
  const store = await openSqliteStore({ directory: folder });
  opened.push(store);
  return store;
}

async function appendOne(store: SqliteEventStore): Promise<bigint> {
  const event = { id: newId(), type: 'store.tested.v1', data: { text: 'x'.repeat(500) } };
  return (await store.append(`copied.event-${newId()}`, 'noStream', [event])).position!;
}

test('a copy made while others write has everything that was answered before, and nothing by half', async () => {
  const store = await open(directory);
  let last = 0n;
  let writing = true;
  const producers = Array.from({ length: 8 }, async () => {
    while (writing) last = await appendOne(store);
  });
  while (last < 2_000n) await appendOne(store);
  const before = last;
  const { head, records } = await copySqliteStore(directory, join(target, 'events.db'));
  const meanwhile = last - before;
  writing = false;
  await Promise.all(producers);

  expect(meanwhile).toBeGreaterThan(0n);
  expect(head).toBeGreaterThanOrEqual(Number(before));
  expect(records).toBe(head);
  const copied = await open(target);
  expect(await copied.head()).toBe(BigInt(head));
  const [ids, copiedIds] = await Promise.all([store, copied].map((one) => idsUpTo(one, BigInt(head))));
  expect(copiedIds).toEqual(ids);
  expect(await appendOne(copied)).toBe(BigInt(head) + 1n);
});

async function idsUpTo(store: SqliteEventStore, head: bigint): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id, position } of store.readAll()) if (position <= head) ids.push(id);
  return ids;
}

test('a copy is for its owner alone', async () => {
  await appendOne(await open(directory));
  await copySqliteStore(directory, join(target, 'events.db'));
  expect((await stat(join(target, 'events.db'))).mode & 0o777).toBe(0o600);
});

test('what was killed is copied with what stands in its log only', async () => {
  const store = await open(directory);
  const position = await appendOne(store);
  // As after a kill: the log is not yet part of the database.
  expect((await stat(join(directory, 'events.db-wal'))).size).toBeGreaterThan(0);
  expect((await copySqliteStore(directory, join(target, 'events.db'))).head).toBe(Number(position));
});

test('where there is no store, none is made', async () => {
  await expect(copySqliteStore(directory, join(target, 'events.db'))).rejects.toThrow(StoreUnusable);
  await expect(stat(join(directory, 'events.db'))).rejects.toThrow('ENOENT');
});

test('a store of a newer version is left alone', async () => {
  await appendOne(await open(directory));
  await opened.pop()!.close();
  const database = new Database(join(directory, 'events.db'));
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 999');
  database.close();
  const copying = copySqliteStore(directory, join(target, 'events.db'));
  await expect(copying).rejects.toThrow('was made by a newer version (format 999');
});

test('a file that is there already is not written over', async () => {
  await appendOne(await open(directory));
  await writeFile(join(target, 'events.db'), 'something else');
  await expect(copySqliteStore(directory, join(target, 'events.db'))).rejects.toThrow(StoreUnavailable);
});
