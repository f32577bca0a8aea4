import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashOfKey } from './api-key.js';
import { editKeyFile, KeyFileLocked } from './edit-key-file.js';
import { KeyFileMalformed, type KeyEntry } from './key-file.js';
import { readKeyFile } from './read-key-file.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidings-keys-'));
  file = join(folder, 'keys.json');
});

afterEach(() => rm(folder, { recursive: true }));

const entry = (name: string): KeyEntry => ({ name, hash: hashOfKey(name), scopes: ['*'] });
const add = (name: string, to = file) =>
  editKeyFile(to, (entries) => ({ entries: [...entries, entry(name)], result: entries.length }));

test('the file is made where there is none, and changed where there is one', async () => {
  expect(await add('one')).toBe(0);
  expect(await add('two')).toBe(1);
  expect(await readKeyFile(file)).toEqual([entry('one'), entry('two')]);
  expect(await readdir(folder)).toEqual(['keys.json']);
});

test('its permissions stay, and so does a link to it', async () => {
  await add('one');
  await chmod(file, 0o660);
  await mkdir(join(folder, 'etc'));
  await symlink(file, join(folder, 'etc', 'linked.json'));
  await add('two', join(folder, 'etc', 'linked.json'));
  expect((await stat(file)).mode & 0o777).toBe(0o660);
  expect(await readKeyFile(file)).toHaveLength(2);
});

test('a file that cannot be read as keys stays as it is', async () => {
  await writeFile(file, '{');
  await expect(add('one')).rejects.toThrow(KeyFileMalformed);
  expect(await readFile(file, 'utf8')).toBe('{');
  expect(await readdir(folder)).toEqual(['keys.json']);
});

test('one at a time', async () => {
  await add('one');
  await writeFile(`${file}.new`, 'of another command');
  await expect(add('two')).rejects.toThrow(KeyFileLocked);
  expect(await readFile(`${file}.new`, 'utf8')).toBe('of another command');
  expect(await readKeyFile(file)).toEqual([entry('one')]);
});

test('of many at the same time none undoes what another did', async () => {
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => add(`key-${index}`)));
  const done = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [`key-${index}`] : []));
  expect(done.length).toBeGreaterThan(0);
  expect((await readKeyFile(file)).map(({ name }) => name).sort()).toEqual(done.sort());
});
