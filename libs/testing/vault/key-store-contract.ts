import { describe, expect, it } from '@jest/globals';
import type { KeyStore } from '#libs/vault';

const alice = 'recipient/alice';

/**
 * Holds a key store to the port.
 * @param open opens an empty one, which the caller closes
 */
export function describeKeyStoreContract(name: string, open: () => Promise<KeyStore>): void {
  describe(`${name} is a key store`, () => {
    it('makes one key for an owner, however many ask at once', async () => {
      const store = await open();
      const keys = await Promise.all(Array.from({ length: 50 }, () => store.keyFor(alice)));
      const later = await store.keyFor(alice);
      for (const key of keys) expect(key).toEqual(later);
      expect(later.owner).toBe(alice);
      expect(later.id).toMatch(/^[\w-]{16}$/);
      expect(later.key.symmetricKeySize).toBe(32);
      expect((await store.keyFor('recipient/bob')).id).not.toBe(later.id);
    });

    it('finds a key by its id until it is destroyed', async () => {
      const store = await open();
      const { id, key } = await store.keyFor(alice);
      const found = await store.find(id);
      expect(found?.owner).toBe(alice);
      expect(found?.key.equals(key)).toBe(true);
      expect(await store.find('unknown')).toBeUndefined();
      expect(await store.destroy([id])).toBe(1);
      expect(await store.find(id)).toBeUndefined();
    });

    it('tells the ids of the keys that an owner has', async () => {
      const store = await open();
      expect(await store.idsOf(alice)).toEqual([]);
      const { id } = await store.keyFor(alice);
      await store.keyFor('recipient/bob');
      expect(await store.idsOf(alice)).toEqual([id]);
      await store.destroy([id]);
      expect(await store.idsOf(alice)).toEqual([]);
    });

    it('destroys the keys that are named and no others, however often', async () => {
      const store = await open();
      const [first, second, kept] = await Promise.all(['1', '2', '3'].map((owner) => store.keyFor(owner)));
      const doomed = [first!.id, 'unknown', second!.id, first!.id];
      expect(await store.destroy(doomed)).toBe(2);
      const anew = await store.keyFor('1');
      expect(await store.destroy(doomed)).toBe(0);
      expect(await store.destroy([])).toBe(0);
      expect(await store.idsOf('1')).toEqual([anew.id]);
      expect(await store.idsOf('2')).toEqual([]);
      expect(await store.idsOf('3')).toEqual([kept!.id]);
    });

    it('does what is asked at once in order', async () => {
      const store = await open();
      const before = await store.keyFor(alice);
      const [ids, destroyed, none, after] = await Promise.all([
        store.idsOf(alice),
        store.destroy([before.id]),
        store.idsOf(alice),
        store.keyFor(alice),
      ]);
      expect(ids).toEqual([before.id]);
      expect(destroyed).toBe(1);
      expect(none).toEqual([]);
      expect(after.id).not.toBe(before.id);
      expect(after.key.equals(before.key)).toBe(false);
      expect(await store.find(before.id)).toBeUndefined();
    });
  });
}
