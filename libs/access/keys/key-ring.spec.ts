import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashOfKey, newKey } from './api-key.js';
import { KeyFileMalformed, type KeyEntry } from './key-file.js';
import { KeyRing } from './key-ring.js';

const shopKey = newKey('shop');
const opsKey = newKey('ops');
const shop: KeyEntry = { name: 'shop', hash: hashOfKey(shopKey), scopes: ['notifications:write'] };
const ops: KeyEntry = { name: 'ops', hash: hashOfKey(opsKey), scopes: ['*'] };
const end = Date.parse('2027-01-01T00:00:00Z');

let folder: string;
let file: string;
let now: number;
let logged: string[];
let rings: KeyRing[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidings-keys-'));
  file = join(folder, 'keys.json');
  now = end - 1;
  logged = [];
  rings = [];
});

afterEach(async () => {
  for (const ring of rings) ring.close();
  await rm(folder, { recursive: true });
});

const write = (...entries: readonly KeyEntry[]) => writeFile(file, JSON.stringify(entries));

async function open(): Promise<KeyRing> {
  const log = {
    changed: (keys: number) => void logged.push(`${keys} keys`),
    unusable: (reason: string) => void logged.push(reason),
  };
  const ring = await KeyRing.open(file, log, () => now);
  rings.push(ring);
  return ring;
}

test('a key opens what its entry lists, and another key nothing', async () => {
  await write(shop, ops);
  const ring = await open();
  expect(ring.identify(shopKey)).toMatchObject({ name: 'shop' });
  expect(ring.identify(shopKey)!.may('notifications:write')).toBe(true);
  expect(ring.identify(shopKey)!.may('notifications:read')).toBe(false);
  expect(ring.identify(opsKey)!.may('recipients:erase')).toBe(true);
  for (const other of [newKey('shop'), shop.hash, '', `${shopKey}x`]) expect(ring.identify(other)).toBeUndefined();
});

test('a hash in base64url, or in other letters, is the same as one in hex', async () => {
  const other = Buffer.from(shop.hash, 'hex').toString('base64url');
  await write({ ...shop, hash: other }, { ...ops, hash: ops.hash.toUpperCase() });
  const ring = await open();
  expect(ring.identify(shopKey)).toMatchObject({ name: 'shop' });
  expect(ring.identify(opsKey)).toMatchObject({ name: 'ops' });
});

test('a key ends at its time, and whoever waits for that is told at the next look', async () => {
  await write({ ...shop, notAfter: new Date(end).toISOString() });
  const ring = await open();
  let told = 0;
  ring.identify(shopKey)!.onceRevoked(() => (told += 1));
  await ring.look();
  expect(told).toBe(0);
  now = end;
  expect(ring.identify(shopKey)).toBeUndefined();
  await ring.look();
  await ring.look();
  expect(told).toBe(1);
});

test.each<[string, readonly KeyEntry[]]>([
  ['is removed', [ops]],
  ['has another scope', [ops, { ...shop, scopes: ['notifications:read'] }]],
  ['has another name', [ops, { ...shop, name: 'other' }]],
  ['has an end', [ops, { ...shop, notAfter: '2099-01-01T00:00:00Z' }]],
])('when a key %s, those who wait for that are told, and nobody else', async (_, entries) => {
  await write(shop, ops);
  const ring = await open();
  const told: string[] = [];
  ring.identify(shopKey)!.onceRevoked(() => told.push('shop'));
  ring.identify(shopKey)!.onceRevoked(() => told.push('gone'))();
  ring.identify(opsKey)!.onceRevoked(() => told.push('ops'));
  const known = ring.identify(shopKey)!;
  await write(...entries);
  await ring.look();
  expect(told).toEqual(['shop']);
  known.onceRevoked(() => told.push('late'));
  expect(told).toEqual(['shop', 'late']);
  expect(ring.identify(opsKey)).toBeDefined();
  expect(logged).toEqual([`${entries.length} keys`]);
});

test.each([
  ['malformed', () => writeFile(file, '[{'), 'is not JSON'],
  ['gone', () => rm(file), 'cannot be read (ENOENT)'],
  ['endless', () => writeFile(file, ' '.repeat(1_048_577)), 'is larger than 1048576 bytes'],
])('where the file is %s, the keys before stay until it can be used again', async (_, harm, reason) => {
  await write(shop);
  const ring = await open();
  let told = 0;
  ring.identify(shopKey)!.onceRevoked(() => (told += 1));
  await harm();
  await ring.look();
  await ring.look();
  expect(ring.identify(shopKey)).toBeDefined();
  expect(ring.problem).toBe(reason);
  expect(logged).toEqual([reason]);
  await write(ops);
  await ring.look();
  expect(ring.problem).toBeUndefined();
  expect(ring.identify(shopKey)).toBeUndefined();
  expect(told).toBe(1);
});

test('a file that cannot be used at the start is an error', async () => {
  const folderItself = KeyRing.open(folder, { changed: () => undefined, unusable: () => undefined });
  await expect(folderItself).rejects.toThrow(new KeyFileMalformed('is not a file'));
  await expect(open()).rejects.toThrow(new KeyFileMalformed('cannot be read (ENOENT)'));
});

test('by itself it looks again and again', async () => {
  await write(shop);
  const ring = await open();
  const revoked = new Promise<void>((resolve) => void ring.identify(shopKey)!.onceRevoked(resolve));
  await write();
  await revoked;
  expect(ring.identify(shopKey)).toBeUndefined();
});
