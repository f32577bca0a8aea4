import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeBlobStoreContract } from '#libs/testing/blob';
import { KeyDestroyed, MemoryKeyStore, SealBroken, Vault } from '#libs/vault';
import { BlobMissing, type BlobStore, FolderBlobStore, InvalidBlobId, SealedBlobs } from './index.js';

const alice = 'recipient/alice';
const key = 'Kq3_x-9ZbTn0aWmE';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidings-blob-'));
});
afterEach(() => rm(directory, { recursive: true }));

function bytes(text: string | Buffer): Readable {
  return Readable.from([Buffer.from(text)]);
}

async function bytesOf(found: Promise<Readable | undefined>): Promise<Buffer> {
  return buffer((await found)!);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describeBlobStoreContract('FolderBlobStore', async () => ({
  store: await FolderBlobStore.open(directory),
  reopen: () => FolderBlobStore.open(directory),
  files: () => filesIn(directory),
}));

describe('FolderBlobStore', () => {
  it('leaves nothing half-written where bytes end in an error', async () => {
    const store = await FolderBlobStore.open(directory);
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(200_000);
      throw new Error('cut');
    }
    await expect(store.put(key, 'a', broken())).rejects.toThrow('cut');
    expect(await readdir(join(directory, 'blobs', 'tmp'))).toEqual([]);
  });

  it('removes what a crash left half-written', async () => {
    await FolderBlobStore.open(directory);
    await writeFile(join(directory, 'blobs', 'tmp', 'left-over'), 'half');
    await FolderBlobStore.open(directory);
    expect(await filesIn(directory)).toEqual([]);
  });

  it('names the key in no path and lets nobody else read the files', async () => {
    const store = await FolderBlobStore.open(directory);
    await store.put(key, 'a', bytes('x'));
    const [file] = await filesIn(directory);
    expect(file).toMatch(/\/blobs\/([0-9a-f]{2})\/\1[0-9a-f]{62}\/a$/);
    expect((await stat(file!)).mode & 0o777).toBe(0o600);
  });
});

describe('SealedBlobs', () => {
  async function open() {
    const vault = new Vault(new MemoryKeyStore());
    const store = await FolderBlobStore.open(directory);
    return { vault, store, blobs: new SealedBlobs(vault, store) };
  }

  it('gives back any bytes, and refers to them by key, id and size', async () => {
    const { blobs, vault } = await open();
    await vault.sealFor(alice, 'address', 'alice@example.org');
    const [keyId] = await vault.keyIdsOf(alice);
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (content) => {
      const ref = await blobs.put(alice, 'a-1', content);
      expect(ref).toEqual({ keyId, id: 'a-1', size: content.length });
      expect(await blobs.get(ref)).toEqual(Buffer.from(content));
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it('takes content as it comes and gives it back in pieces, none of which is large', async () => {
    const { blobs, store } = await open();
    const chunk = randomBytes(1_000_003);
    async function* content(): AsyncGenerator<Buffer> {
      for (let count = 0; count < 5; count += 1) yield chunk;
    }
    const ref = await blobs.put(alice, 'large', content());
    expect(ref.size).toBe(5 * chunk.length);
    const hash = createHash('sha256');
    for await (const piece of blobs.stream(ref)) {
      expect(piece.length).toBeLessThanOrEqual(65_536);
      hash.update(piece);
    }
    const expected = createHash('sha256');
    for await (const each of content()) expected.update(each);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    expect(await blobs.put('recipient/bob', 'copy', blobs.stream(ref))).toMatchObject({ size: ref.size });
    expect((await bytesOf(store.get(ref.keyId, 'large'))).length).toBeGreaterThan(ref.size);
  });

  it('opens nothing before it is read, and tells that there is none', async () => {
    const { blobs } = await open();
    const ref = await blobs.put(alice, 'a-1', Buffer.from('hello'));
    const unread = blobs.stream(ref);
    await blobs.delete(ref);
    await expect(unread.next()).rejects.toThrow(BlobMissing);
  });

  it('writes nothing in clear', async () => {
    const { blobs } = await open();
    await blobs.put(alice, 'a-1', Buffer.from('the canary sings'));
    for (const file of await filesIn(directory)) expect(String(await readFile(file))).not.toContain('canary');
  });

  it('cannot read a blob of an erased owner, nor one that is deleted', async () => {
    const { blobs, vault } = await open();
    const ref = await blobs.put(alice, 'a-1', Buffer.from('hello'));
    await vault.destroy([ref.keyId]);
    await expect(blobs.get(ref)).rejects.toThrow(KeyDestroyed);
    expect(await blobs.deleteAll(ref.keyId)).toBe(1);
    expect(await blobs.get(ref)).toBeUndefined();
    const anew = await blobs.put(alice, 'a-1', Buffer.from('new'));
    await vault.destroy([ref.keyId]);
    expect(await blobs.deleteAll(ref.keyId)).toBe(0);
    expect(String(await blobs.get(anew))).toBe('new');
    expect(await blobs.delete(anew)).toBe(true);
  });

  it('stores a blob under the key of a sealed text, and makes none', async () => {
    const { blobs, vault } = await open();
    const like = await vault.sealFor(alice, 'address', 'alice@example.org');
    const ref = await blobs.putWithKeyOf(like, 'a-1', Buffer.from('hello'));
    expect(ref).toEqual({ keyId: (await vault.keyIdsOf(alice))[0], id: 'a-1', size: 5 });
    expect(String(await blobs.get(ref))).toBe('hello');
    await vault.destroy([ref.keyId]);
    await blobs.deleteAll(ref.keyId);
    await expect(blobs.putWithKeyOf(like, 'a-2', Buffer.from('late'))).rejects.toThrow(KeyDestroyed);
    await expect(blobs.putWithKeyOf(like, 'A', Buffer.from('late'))).rejects.toThrow(InvalidBlobId);
    expect(await vault.keyIdsOf(alice)).toEqual([]);
    expect(await filesIn(directory)).toEqual([]);
  });

  it('keeps no blob that an erasure came upon while it was written', async () => {
    const { vault, store } = await open();
    const like = await vault.sealFor(alice, 'address', 'alice@example.org');
    const keyIds = await vault.keyIdsOf(alice);
    /** Erases before the first blob is there, so that it finds none. */
    const erasing: BlobStore = {
      put: async (keyId, id, bytes) => {
        await vault.destroy(keyIds);
        await store.deleteAll(keyId);
        await store.put(keyId, id, bytes);
      },
      get: (keyId, id) => store.get(keyId, id),
      delete: (keyId, id) => store.delete(keyId, id),
      deleteAll: (keyId) => store.deleteAll(keyId),
    };
    const blobs = new SealedBlobs(vault, erasing);
    await expect(blobs.putWithKeyOf(like, 'a-1', Buffer.from('hello'))).rejects.toThrow(KeyDestroyed);
    expect(await filesIn(directory)).toEqual([]);
  });

  it('notices bytes that were changed, or put in the place of others', async () => {
    const { blobs, store } = await open();
    const first = await blobs.put(alice, 'first', Buffer.from('hello'));
    const second = await blobs.put(alice, 'second', Buffer.from('world'));
    const sealed = await bytesOf(store.get(second.keyId, 'second'));
    await store.put(first.keyId, 'first', bytes(sealed));
    await expect(blobs.get(first)).rejects.toThrow(SealBroken);
    await store.put(first.keyId, 'second', bytes(sealed.subarray(0, -1)));
    await expect(blobs.get(second)).rejects.toThrow(SealBroken);
    const others = await blobs.put('recipient/bob', 'first', Buffer.from('hi'));
    await store.put(first.keyId, 'first', (await store.get(others.keyId, 'first'))!);
    await expect(blobs.get(first)).rejects.toThrow(SealBroken);
  });
});
