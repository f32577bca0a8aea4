import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type DataKey, KeyDestroyed, type KeyStore, Vault } from '#libs/vault';
import { eventually } from '../eventually.js';

const alice = 'recipient/alice';

/**
 * Holds a key store to what is promised where several processes have it.
 * @param open opens an empty one, several times, as several processes do; the caller closes them
 */
export function describeSharedKeyStoreContract(name: string, open: () => Promise<() => Promise<KeyStore>>): void {
  describe(`${name} is shared`, () => {
    let one: KeyStore;
    let other: KeyStore;
    beforeEach(async () => {
      const join = await open();
      [one, other] = await Promise.all([join(), join()]);
    });

    it('makes one key for an owner, in whichever process it is asked for first', async () => {
      const owners = Array.from({ length: 100 }, (_, index) => `recipient/${index}`);
      const asked = owners.flatMap((owner) => [one.keyFor(owner), other.keyFor(owner)]);
      const keys = await Promise.all(asked);
      owners.forEach((owner, index) => {
        const [mine, theirs] = keys.slice(2 * index, 2 * index + 2) as [DataKey, DataKey];
        expect(mine).toMatchObject({ id: theirs.id, owner });
        expect(mine.key.equals(theirs.key)).toBe(true);
      });
      expect(new Set(keys.map(({ id }) => id)).size).toBe(owners.length);
    });

    it('destroys a key for all processes, of whom one makes the next', async () => {
      const { id } = await one.keyFor(alice);
      expect((await other.find(id))?.owner).toBe(alice);
      const destroyed = await Promise.all([one.destroy([id]), other.destroy([id])]);
      expect(destroyed.sort()).toEqual([0, 1]);
      for (const store of [one, other]) {
        expect(await store.find(id)).toBeUndefined();
        expect(await store.idsOf(alice)).toEqual([]);
      }
      const [mine, theirs] = await Promise.all([one.keyFor(alice), other.keyFor(alice)]);
      expect(theirs.id).toBe(mine.id);
      expect(mine.id).not.toBe(id);
      expect(await one.destroy([id])).toBe(0);
      expect(await other.idsOf(alice)).toEqual([mine.id]);
    });

    describe('behind the caches of two vaults', () => {
      let mine: Vault;
      let theirs: Vault;
      beforeEach(() => {
        mine = new Vault(one);
        theirs = new Vault(other);
      });
      afterEach(async () => {
        await Promise.all([mine.close(), theirs.close()]);
      });

      it('has what is destroyed in one process forgotten by the other', async () => {
        const sealed = await mine.sealFor(alice, 'name', 'Alice');
        const readable = () => theirs.openNow(sealed) === 'Alice' && theirs.sealNow(alice, 'name', 'Ali') !== undefined;
        await eventually(async () => (await theirs.open(sealed)) === 'Alice' && readable());
        await mine.destroy(await mine.keyIdsOf(alice));
        await eventually(() => !readable() && theirs.openNow(sealed) === undefined);
        await expect(theirs.open(sealed)).rejects.toThrow(KeyDestroyed);
        const anew = await theirs.sealFor(alice, 'name', 'Alice');
        expect(await mine.open(anew)).toBe('Alice');
      });

      it('is asked, not the cache, whether a key still exists', async () => {
        await theirs.sealFor(alice, 'name', 'Alice');
        const [keyId] = await theirs.keyIdsOf(alice);
        await mine.destroy([keyId!]);
        expect(await theirs.hasKey(keyId!)).toBe(false);
      });
    });
  });
}
