import { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  erasedText,
  isSealed,
  KeyDestroyed,
  MemoryKeyStore,
  SealBroken,
  type Sealed,
  unreadableText,
  Vault,
} from './index.js';
import { KeyCache } from './key-cache.js';
import type { DataKey } from './key-store.js';

const alice = 'recipient/alice';
const bob = 'recipient/bob';
const bytesOf = (content: string) => Readable.from([Buffer.from(content)]);

describe('Vault', () => {
  let vault: Vault;
  beforeEach(() => {
    vault = new Vault(new MemoryKeyStore());
  });

  it('seals and opens texts and bytes', async () => {
    const sealed = await vault.sealFor(alice, 'name', 'Alice');
    expect(isSealed(sealed)).toBe(true);
    expect(await vault.open(sealed)).toBe('Alice');
    const bytes = await vault.sealBytesFor(alice, 'photo', bytesOf('abc'));
    expect(sealed).toContain(`.${bytes.keyId}.`);
    expect(await textOf(await vault.openBytes('photo', bytes))).toBe('abc');
  });

  it('seals and opens at once with a key it remembers', async () => {
    expect(vault.sealNow(alice, 'name', 'Alice')).toBeUndefined();
    await vault.sealFor(alice, 'name', 'Alice');
    const sealed = vault.sealNow(alice, 'name', 'Alice')!;
    expect(vault.openNow(sealed)).toBe('Alice');
  });

  it('seals under the key that something else is sealed under, and makes none', async () => {
    const like = await vault.sealFor(alice, 'address', 'alice@example.org');
    const keyIds = await vault.keyIdsOf(alice);
    const text = await vault.sealWithKeyOf(like, 'error', 'no such user');
    const bytes = await vault.sealBytesWithKeyOf(like, 'photo', bytesOf('x'));
    expect(await vault.open(text)).toBe('no such user');
    expect(await textOf(await vault.openBytes('photo', bytes))).toBe('x');
    expect(text).toContain(`.${keyIds[0]}.error.`);
    expect([bytes.keyId]).toEqual(keyIds);
    await vault.destroy(keyIds);
    await expect(vault.sealWithKeyOf(like, 'error', 'late')).rejects.toThrow(KeyDestroyed);
    await expect(vault.sealBytesWithKeyOf(like, 'photo', bytesOf('late'))).rejects.toThrow(KeyDestroyed);
    expect(await vault.keyIdsOf(alice)).toEqual([]);
    await vault.sealFor(alice, 'address', 'alice@example.org');
    await expect(vault.sealWithKeyOf(like, 'error', 'late')).rejects.toThrow(KeyDestroyed);
    await expect(vault.sealWithKeyOf('nothing' as Sealed, 'error', 'late')).rejects.toThrow(SealBroken);
  });

  it('makes all under a key unreadable, and seals anew under another one', async () => {
    const before = await vault.sealFor(alice, 'name', 'Alice');
    const bytes = await vault.sealBytesFor(alice, 'photo', bytesOf('x'));
    const other = await vault.sealFor(bob, 'name', 'Bob');
    const keyIds = await vault.keyIdsOf(alice);
    expect(await vault.hasKey(keyIds[0]!)).toBe(true);
    expect(await vault.destroy(keyIds)).toBe(1);
    expect(await vault.destroy(keyIds)).toBe(0);
    expect(await vault.hasKey(keyIds[0]!)).toBe(false);
    expect(vault.sealNow(alice, 'name', 'Alice')).toBeUndefined();
    expect(vault.openNow(before)).toBeUndefined();
    await expect(vault.open(before)).rejects.toThrow(KeyDestroyed);
    await expect(vault.openBytes('photo', bytes)).rejects.toThrow(KeyDestroyed);
    expect(await vault.open(other)).toBe('Bob');
    const after = await vault.sealFor(alice, 'name', 'Alice');
    expect(await vault.destroy(keyIds)).toBe(0);
    expect(vault.openNow(after)).toBe('Alice');
    expect(await vault.open(after)).toBe('Alice');
    await expect(vault.open(before)).rejects.toThrow(KeyDestroyed);
  });

  it('tells a broken seal from a destroyed key', async () => {
    const sealed = await vault.sealFor(alice, 'name', 'Alice');
    await expect(vault.open(sealed.replace('.name.', '.address.') as Sealed)).rejects.toThrow(SealBroken);
    await expect(vault.open('nothing' as Sealed)).rejects.toThrow(SealBroken);
    expect(() => vault.openNow(sealed.replace('.name.', '.address.') as Sealed)).toThrow(SealBroken);
  });

  it('opens what is sealed within a record', async () => {
    const address = await vault.sealFor(alice, 'address', 'alice@example.org');
    const gone = await vault.sealFor(bob, 'address', 'bob@example.org');
    await vault.destroy(await vault.keyIdsOf(bob));
    const untouched = { tags: ['a', 'b'] };
    const record = {
      revision: 7n,
      data: {
        to: [{ address }, { address: gone }, { address: address.replace('.address.', '.name.') }],
        untouched,
        none: null,
      },
    };
    const opened = await vault.openDeep(record);
    expect(opened).toEqual({
      revision: 7n,
      data: {
        to: [{ address: 'alice@example.org' }, { address: erasedText }, { address: unreadableText }],
        untouched,
        none: null,
      },
    });
    expect(opened.data.untouched).toBe(untouched);
    expect(record.data.to[0]!.address).toBe(address);
    expect(await vault.openDeep(untouched)).toBe(untouched);
  });

  it('leaves any other JSON value alone', async () => {
    await fc.assert(fc.asyncProperty(fc.jsonValue(), async (value) => expect(await vault.openDeep(value)).toBe(value)));
    const sealed = await vault.sealFor(alice, 'name', 'Alice');
    const property = fc.asyncProperty(fc.jsonValue(), async (value) => {
      expect(await vault.openDeep({ value, sealed })).toEqual({ value, sealed: 'Alice' });
    });
    await fc.assert(property);
  });
});

describe('KeyCache', () => {
  /** A store whose answers wait until they are let go. */
  class SlowKeyStore extends MemoryKeyStore {
    calls = 0;
    private gate = Promise.resolve();
    hold(): () => void {
      const { promise, resolve } = withResolvers();
      this.gate = promise;
      return resolve;
    }
    override async keyFor(owner: string): Promise<DataKey> {
      return this.later(super.keyFor(owner));
    }
    override async find(keyId: string): Promise<DataKey | undefined> {
      return this.later(super.find(keyId));
    }
    private async later<Result>(result: Promise<Result>): Promise<Result> {
      this.calls += 1;
      await this.gate;
      return result;
    }
  }

  function withResolvers(): { promise: Promise<void>; resolve: () => void } {
    let resolve!: () => void;
    const promise = new Promise<void>((done) => (resolve = done));
    return { promise, resolve };
  }

  it('asks the store once for a key', async () => {
    const store = new SlowKeyStore();
    const cache = new KeyCache(store, 10);
    const key = await cache.keyFor(alice);
    expect(await cache.keyFor(alice)).toBe(key);
    expect(await cache.find(key.id)).toBe(key);
    expect(cache.peek(alice)).toBe(key);
    expect(cache.peekById(key.id)).toBe(key);
    expect(store.calls).toBe(1);
  });

  it('remembers the keys used last', async () => {
    const cache = new KeyCache(new MemoryKeyStore(), 2);
    const first = await cache.keyFor('1');
    const second = await cache.keyFor('2');
    cache.peek('1');
    cache.peekById(first.id);
    await cache.keyFor('3');
    expect(cache.peek('1')).toBe(first);
    expect(cache.peek('2')).toBeUndefined();
    expect(cache.peekById(second.id)).toBeUndefined();
  });

  it.each(['keyFor', 'find'] as const)(
    'does not bring back a key destroyed while %s was on its way',
    async (method) => {
      const store = new SlowKeyStore();
      const { id } = await store.keyFor(alice);
      const cache = new KeyCache(store, 10);
      const letGo = store.hold();
      const lookup = method === 'find' ? cache.find(id) : cache.keyFor(alice);
      await cache.destroy([id]);
      letGo();
      expect((await lookup)?.id).toBe(id);
      expect(cache.peek(alice)).toBeUndefined();
      expect(cache.peekById(id)).toBeUndefined();
      expect((await cache.keyFor(alice)).id).not.toBe(id);
    },
  );

  it('forgets a destroyed key by its id also where its owner was forgotten before', async () => {
    const cache = new KeyCache(new MemoryKeyStore(), 2);
    const key = await cache.keyFor(alice);
    await cache.keyFor(bob);
    cache.peek(bob);
    cache.peekById(key.id);
    const third = await cache.keyFor('third');
    expect(cache.peek(alice)).toBeUndefined();
    expect(cache.peekById(key.id)).toBe(key);
    await cache.destroy([key.id]);
    expect(cache.peekById(key.id)).toBeUndefined();
    expect(cache.peek('third')).toBe(third);
  });

  it('forgets a destroyed key by its owner also where its id was forgotten before', async () => {
    const cache = new KeyCache(new MemoryKeyStore(), 2);
    const key = await cache.keyFor(alice);
    const other = await cache.keyFor(bob);
    cache.peek(alice);
    cache.peekById(other.id);
    await cache.keyFor('third');
    expect(cache.peekById(key.id)).toBeUndefined();
    expect(await cache.keyFor(alice)).toBe(key);
    await cache.destroy([key.id]);
    expect(cache.peek(alice)).toBeUndefined();
    expect((await cache.keyFor(alice)).id).not.toBe(key.id);
  });
});
