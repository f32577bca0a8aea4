import { mkdir, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { copyBlobs, FolderBlobStore } from './index.js';

let root: string;
let store: FolderBlobStore;
const inRoot = (...path: string[]) => join(root, ...path);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tidings-blobs-'));
  await mkdir(inRoot('data'));
  store = await FolderBlobStore.open(inRoot('data'));
});

afterEach(() => rm(root, { recursive: true }));

function put(keyId: string, id: string, content: string): Promise<void> {
  return store.put(
    keyId,
    id,
    (async function* () {
      yield Buffer.from(content);
    })(),
  );
}

/** Two writes may come within the precision of a file's time: this makes the last one a second later. */
async function letTimePass(id: string): Promise<void> {
  const names = await readdir(inRoot('data', 'blobs'), { recursive: true });
  const path = inRoot(
    'data',
    'blobs',
    names.find((name) => basename(name) === id)!,
  );
  const { mtimeMs } = await stat(path);
  await utimes(path, mtimeMs / 1_000 + 1, mtimeMs / 1_000 + 1);
}

async function readCopy(copy: string, keyId: string, id: string): Promise<string | undefined> {
  const bytes = await (await FolderBlobStore.open(inRoot(copy))).get(keyId, id);
  return bytes && text(bytes);
}

test('a copy has every blob', async () => {
  for (let index = 0; index < 20; index += 1) await put('one', `blob-${index}`, `content ${index}`);
  await put('two', 'blob', 'other');
  const copied = await copyBlobs(inRoot('data'), inRoot('copy', 'blobs'));
  expect(copied).toEqual({ files: 21, bytes: 10 * 9 + 10 * 10 + 5, linked: 0 });
  expect(await readCopy('copy', 'one', 'blob-19')).toBe('content 19');
  expect(await readCopy('copy', 'two', 'blob')).toBe('other');
});

test('what an earlier copy has is linked, what is new or was put again is copied', async () => {
  await put('one', 'same', 'content');
  await put('one', 'changed', 'content');
  await copyBlobs(inRoot('data'), inRoot('first', 'blobs'));
  await put('one', 'changed', 'another');
  await letTimePass('changed');
  await put('one', 'new', 'new');
  const options = { earlier: inRoot('first', 'blobs') };
  expect(await copyBlobs(inRoot('data'), inRoot('second', 'blobs'), options)).toEqual({
    files: 3,
    bytes: 17,
    linked: 1,
  });
  // A copy of a copy is as good.
  const again = { earlier: inRoot('second', 'blobs') };
  expect(await copyBlobs(inRoot('second'), inRoot('third', 'blobs'), again)).toMatchObject({ files: 3, linked: 3 });
  await rm(inRoot('first'), { recursive: true });
  expect(await readCopy('second', 'one', 'same')).toBe('content');
  expect(await readCopy('second', 'one', 'changed')).toBe('another');
});

test('what is deleted meanwhile is left out', async () => {
  for (let index = 0; index < 40; index += 1) await put(`key-${index}`, 'blob', 'content');
  let deleting: Promise<unknown> | undefined;
  const onProgress = () => {
    deleting ??= Promise.all(Array.from({ length: 40 }, (_, index) => store.deleteAll(`key-${index}`)));
  };
  const { files } = await copyBlobs(inRoot('data'), inRoot('copy', 'blobs'), { onProgress });
  await deleting;
  expect(files).toBeGreaterThan(0);
  expect(files).toBeLessThan(40);
});

test('without blobs, the folder is there all the same', async () => {
  await mkdir(inRoot('empty'));
  expect(await copyBlobs(inRoot('empty'), inRoot('copy', 'blobs'))).toEqual({ files: 0, bytes: 0, linked: 0 });
  expect((await stat(inRoot('copy', 'blobs'))).isDirectory()).toBe(true);
});
