import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '#libs/store/port';
import { S3Double } from '#libs/testing/s3';
import { TransferRefused } from '#libs/vault';
import {
  FolderBlobStore,
  openS3Blobs,
  parseS3Url,
  transferBlobs,
  type BlobInventory,
  type BlobStore,
  type S3BlobStore,
} from '../index.js';

type Store = BlobStore & BlobInventory;

let s3: S3Double;
let folder: string;
let prefixes = 0;
const opened: S3BlobStore[] = [];

beforeAll(async () => {
  Object.assign(process.env, S3Double.credentials);
  s3 = await S3Double.start();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidings-transfer-'));
});
afterEach(async () => {
  s3.trouble = () => undefined;
  for (const store of opened.splice(0)) store.close();
  await rm(folder, { recursive: true });
});
afterAll(async () => {
  for (const name of Object.keys(S3Double.credentials)) delete process.env[name];
  await s3?.remove();
});

const inFolder = (name: string): Promise<Store> => FolderBlobStore.open(join(folder, name));

async function inBucket(): Promise<Store> {
  prefixes += 1;
  const store = await openS3Blobs({ location: parseS3Url(s3.url(`test-${prefixes}/blobs`)), answerWithin: 2_000 });
  opened.push(store);
  return store;
}

/** Keys whose ids differ in case, some with several blobs. */
async function fill(store: Store, count: number): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  for (let index = 0; index < count; index += 1) {
    const [keyId, id] = [`${index % 2 ? 'Key' : 'key'}_-${index % 50}`, `blob-${index}`];
    const content = randomBytes(100 + index);
    contents.set(`${keyId} ${id}`, content);
    await store.put(keyId, id, Readable.from([content]));
  }
  return contents;
}

async function expectSame(store: Store, contents: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [name, content] of contents) {
    const [keyId, id] = name.split(' ') as [string, string];
    const bytes = await store.get(keyId, id);
    expect(bytes && (await buffer(bytes)).equals(content)).toBe(true);
  }
}

describe.each([
  ['a folder to a bucket', () => inFolder('source'), inBucket],
  ['a bucket to a folder', inBucket, () => inFolder('target')],
])('a copy from %s', (_, openSource, openTarget) => {
  let source: Store;
  let target: Store;
  beforeEach(async () => {
    [source, target] = [await openSource(), await openTarget()];
  });

  test('has every blob, also of more than one list names, and large ones', async () => {
    const contents = await fill(source, 230);
    const large = randomBytes(12 * 1_048_576);
    await source.put('key_-1', 'large', Readable.from([large]));
    contents.set('key_-1 large', large);
    const copied = await transferBlobs(source, target);
    const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0);
    expect(copied).toEqual({ blobs: 231, bytes, sha256: expect.stringMatching(/^[\da-f]{64}$/) });
    await expectSame(target, contents);
    expect(await transferBlobs(target, await inFolder('back'))).toEqual(copied);
  });

  test('goes on where it was, without putting again what is there', async () => {
    const contents = await fill(source, 40);
    let written = 0;
    const breaking: BlobInventory = {
      places: () => target.places(),
      read: (place) => target.read(place),
      write: async (place, bytes) => {
        written += 1;
        if (written === 20) throw new StoreUnavailable('gone');
        await target.write(place, bytes);
      },
    };
    await expect(transferBlobs(source, breaking)).rejects.toThrow(StoreUnavailable);
    const first = written;
    expect(first).toBeLessThan(40);
    written = 20;
    expect(await transferBlobs(source, breaking)).toMatchObject({ blobs: 40 });
    expect(written - 20).toBe(40 - (first - 1));
    await expectSame(target, contents);
  });

  test('leaves another blob that stands in the place of one, and says so', async () => {
    await source.put('key', 'a', Readable.from([Buffer.from('one')]));
    await target.put('key', 'a', Readable.from([Buffer.from('two')]));
    const refusal = transferBlobs(source, target);
    await expect(refusal).rejects.toThrow(TransferRefused);
    await expect(refusal).rejects.toThrow(/the target has another blob as [\da-f]{2}\/[\da-f]{64}\/a/);
    expect(String(await buffer((await target.get('key', 'a'))!))).toBe('two');
  });
});

test('what is no blob is left alone', async () => {
  const source = await inFolder('source');
  await fill(source, 3);
  const [start] = (await readdir(join(folder, 'source', 'blobs'))).filter((name) => name !== 'tmp');
  await writeFile(join(folder, 'source', 'blobs', 'notes.txt'), 'mine');
  await writeFile(join(folder, 'source', 'blobs', start!, '.hidden'), 'mine');
  await writeFile(join(folder, 'source', 'blobs', 'tmp', 'half'), 'half');
  expect(await transferBlobs(source, await inBucket())).toMatchObject({ blobs: 3 });
});

test('a bucket that goes away in the middle is told of', async () => {
  const source = await inFolder('source');
  await fill(source, 20);
  const target = await inBucket();
  let puts = 0;
  s3.trouble = (line) => (line.startsWith('PUT') && (puts += 1) > 10 ? 'reset' : undefined);
  await expect(transferBlobs(source, target)).rejects.toThrow(StoreUnavailable);
  s3.trouble = () => undefined;
  expect(await transferBlobs(source, target)).toMatchObject({ blobs: 20 });
});
