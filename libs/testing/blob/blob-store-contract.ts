import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type BlobStore, InvalidBlobId } from '#libs/blob';

const key = 'Kq3_x-9ZbTn0aWmE';
/** Differs in case only. */
const other = 'kq3_x-9ZbTn0aWmE';

/** A blob store under test, with nothing in it. */
export interface BlobStoreTarget {
  readonly store: BlobStore;
  /** Opens it again. */
  reopen(): Promise<BlobStore>;
  /** Paths of all files that it has in use. */
  files(): Promise<readonly string[]>;
}

/** Holds a blob store to the port. */
export function describeBlobStoreContract(name: string, open: () => Promise<BlobStoreTarget>): void {
  describe(`${name} is a blob store`, () => {
    let target: BlobStoreTarget;
    let store: BlobStore;
    beforeEach(async () => {
      target = await open();
      store = target.store;
    });

    it('gives back what was put, also after it was opened again', async () => {
      await store.put(key, 'a-1', bytes('first'));
      await store.put(key, 'a-1', bytes('second'));
      await store.put(other, 'a-1', bytes(''));
      const again = await target.reopen();
      expect(await textOf(again.get(key, 'a-1'))).toBe('second');
      expect(await textOf(again.get(other, 'a-1'))).toBe('');
      expect(await again.get(other, 'a-2')).toBeUndefined();
      expect(await again.get('unknown', 'a-1')).toBeUndefined();
    });

    it('takes and gives back many megabytes', async () => {
      const chunk = randomBytes(1_000_003);
      async function* content(): AsyncGenerator<Buffer> {
        for (let count = 0; count < 12; count += 1) yield chunk;
      }
      await store.put(key, 'large', content());
      const stored = await buffer((await store.get(key, 'large'))!);
      expect(stored.equals(await buffer(content()))).toBe(true);
    });

    it('deletes one blob, or all of a key', async () => {
      for (const id of ['1', '2', '3']) await store.put(key, id, bytes(id));
      await store.put(other, '1', bytes('1'));
      expect(await store.delete(key, '1')).toBe(true);
      expect(await store.delete(key, '1')).toBe(false);
      expect(await store.deleteAll(key)).toBe(2);
      expect(await store.deleteAll(key)).toBe(0);
      expect(await store.get(key, '2')).toBeUndefined();
      expect(await textOf(store.get(other, '1'))).toBe('1');
    });

    it('takes many puts and deletes of one key at once', async () => {
      const ids = Array.from({ length: 20 }, (_, index) => `${index}`);
      await Promise.all(ids.flatMap((id) => [store.put(key, id, bytes(id)), store.put(key, id, bytes(id))]));
      for (const id of ids) expect(await textOf(store.get(key, id))).toBe(id);
      const [deleted] = await Promise.all([store.deleteAll(key), store.put(key, 'late', bytes('late'))]);
      expect(deleted).toBeGreaterThanOrEqual(20);
      await store.put(key, 'later', bytes('later'));
      expect(await textOf(store.get(key, 'later'))).toBe('later');
    });

    it.each([
      ['at once', 0],
      ['soon', 200_000],
      ['after many megabytes', 12_000_000],
    ])('keeps nothing of bytes that end in an error %s, and what stood there before', async (_, length) => {
      await store.put(key, 'a', bytes('before'));
      const before = await target.files();
      async function* broken(): AsyncGenerator<Buffer> {
        for (let left = length; left > 0; left -= 200_000) yield randomBytes(200_000);
        throw new Error('cut');
      }
      await expect(store.put(key, 'a', broken())).rejects.toThrow('cut');
      await expect(store.put(key, 'b', broken())).rejects.toThrow('cut');
      expect(await target.files()).toEqual(before);
      expect(await textOf(store.get(key, 'a'))).toBe('before');
      expect(await store.get(key, 'b')).toBeUndefined();
    });

    it('is not troubled by a blob that is not read, or not to its end', async () => {
      await store.put(key, 'a', bytes(randomBytes(3_000_000)));
      const unread = await store.get(key, 'a');
      unread!.destroy();
      for await (const piece of (await store.get(key, 'a'))!) {
        expect((piece as Buffer).length).toBeGreaterThan(0);
        break;
      }
      expect(await store.delete(key, 'a')).toBe(true);
    });

    it('names the key nowhere', async () => {
      await store.put(key, 'a', bytes('x'));
      for (const file of await target.files()) expect(file.toLowerCase()).not.toContain(other.toLowerCase());
    });

    it.each(['', '.', '..', '../a', 'a/b', 'a\\b', 'a\0', 'A', 'é', 'a\n', 'x'.repeat(101)])(
      'refuses the id %j',
      async (id) => {
        await expect(store.put(key, id, bytes('x'))).rejects.toThrow(InvalidBlobId);
        await expect(store.get(key, id)).rejects.toThrow(InvalidBlobId);
        await expect(store.delete(key, id)).rejects.toThrow(InvalidBlobId);
      },
    );
  });
}

function bytes(content: string | Buffer): Readable {
  return Readable.from([Buffer.from(content)]);
}

async function textOf(found: Promise<Readable | undefined>): Promise<string> {
  return String(await buffer((await found)!));
}
