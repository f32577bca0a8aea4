import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { StoreUnusable } from '#libs/store/port';
import { copySqliteKeys, SqliteKeyStore } from './index.js';

let root: string;
let directory: string;
let target: string;
let opened: SqliteKeyStore[];

beforeEach(async () => {
  opened = [];
  root = await mkdtemp(join(tmpdir(), 'tidings-keys-'));
  [directory, target] = [join(root, 'data'), join(root, 'copy')];
  await Promise.all([mkdir(directory), mkdir(target)]);
});

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  await rm(root, { recursive: true });
});

async function open(folder: string): Promise<SqliteKeyStore> {
  const store = await SqliteKeyStore.open(folder);
  opened.push(store);
  return store;
}

function makeKeys(store: SqliteKeyStore, name: string, count: number) {
  return Promise.all(Array.from({ length: count }, (_, index) => store.keyFor(`recipient/${name}-${index}`)));
}

test('a copy has the keys that were there, and is for its owner alone', async () => {
  const store = await open(directory);
  const keys = await makeKeys(store, 'somebody', 2_500);
  await store.destroy([keys[7]!.id]);
  expect(await copySqliteKeys(directory, join(target, 'keys.db'))).toBe(2_500);
  expect((await stat(join(target, 'keys.db'))).mode & 0o777).toBe(0o600);

  const copied = await open(target);
  expect(await copied.find(keys[7]!.id)).toBeUndefined();
  const found = await copied.find(keys[2_499]!.id);
  expect(found?.key.export()).toEqual(keys[2_499]!.key.export());
  expect((await copied.keyFor('recipient/somebody-3')).id).toBe(keys[3]!.id);
  const made = await copied.keyFor('recipient/new');
  expect((await copied.find(made.id))?.owner).toBe('recipient/new');
});

test('keys are made and destroyed while they are copied', async () => {
  const store = await open(directory);
  const keys = await makeKeys(store, 'somebody', 20_000);
  let copying = true;
  const copied = copySqliteKeys(directory, join(target, 'keys.db')).finally(() => (copying = false));
  let meanwhile = 0;
  for (; copying; meanwhile += 1) {
    await store.keyFor(`recipient/later-${meanwhile}`);
    expect(await store.destroy([keys[meanwhile]!.id])).toBe(1);
  }
  expect(meanwhile).toBeGreaterThan(0);
  expect(await copied).toBeGreaterThanOrEqual(20_000);
  expect((await (await open(target)).find(keys.at(-1)!.id))?.key.export()).toEqual(keys.at(-1)!.key.export());
});

test('where there are no keys, no file is made', async () => {
  const copying = copySqliteKeys(directory, join(target, 'keys.db'));
  await expect(copying).rejects.toThrow(StoreUnusable);
  await expect(copying).rejects.toThrow(`${join(directory, 'keys.db')}: it does not exist`);
  await expect(stat(join(directory, 'keys.db'))).rejects.toThrow('ENOENT');
});
