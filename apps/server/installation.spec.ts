import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { StoreUnavailable, StoreUnusable, type EventStore } from '#libs/store/port';
import { eventually, TemporaryStore } from '#libs/testing';
import { installationKeyOwner, MemoryKeyStore, Vault, type KeyStore } from '#libs/vault';
import { InstallationKeys } from './installation.js';

const alice = 'recipient/alice';

let opened: TemporaryStore;
const guards: InstallationKeys[] = [];
beforeEach(async () => {
  opened = await TemporaryStore.open();
});
afterEach(async () => {
  await Promise.all(guards.splice(0).map((guard) => guard.close()));
  await opened.remove();
});

function guard(keys: KeyStore, store: EventStore = opened.store, accepted?: string): InstallationKeys {
  const guarded = new InstallationKeys(store, keys, accepted);
  guards.push(guarded);
  return guarded;
}

const never = (): void => {
  throw new Error('this is not to fail later');
};

/** The store, away until `comes` is called. */
function awayStore(): { readonly store: EventStore; comes(): void } {
  let isAway = true;
  const store = Object.create(opened.store, {
    readStream: {
      value: (...args: Parameters<EventStore['readStream']>) => {
        if (isAway) throw new StoreUnavailable('away');
        return opened.store.readStream(...args);
      },
    },
    append: { value: opened.store.append.bind(opened.store) },
  }) as EventStore;
  return { store, comes: () => (isAway = false) };
}

describe('the keys of an event store', () => {
  test('are those of the first process that uses it, and of every other one', async () => {
    const keys = new MemoryKeyStore();
    const processes = Array.from({ length: 5 }, () => guard(keys));
    await Promise.all(processes.map((each) => each.confirm(never)));
    const ids = await Promise.all(processes.map(async (each) => (await each.keyFor(alice)).id));
    expect(new Set(ids).size).toBe(1);
    const noted = [];
    for await (const { data } of opened.store.readStream('runtime.installation-keys')) noted.push(data);
    expect(noted).toEqual([{ keyStore: (await keys.idsOf(installationKeyOwner))[0] }]);
  });

  test.each([
    ['new', async () => new MemoryKeyStore()],
    [
      'of another installation',
      async () => {
        const keys = new MemoryKeyStore();
        await keys.keyFor(installationKeyOwner);
        return keys;
      },
    ],
  ])('are no others: a key store that is %s is refused', async (_, open) => {
    await guard(new MemoryKeyStore()).confirm(never);
    const keys = await open();
    const other = guard(keys);
    await expect(other.confirm(never)).rejects.toThrow(StoreUnusable);
    await expect(other.confirm(never)).rejects.toThrow(/sealed with keys that are kept elsewhere/);
    await expect(other.keyFor(alice)).rejects.toThrow(StoreUnavailable);
    expect(await keys.idsOf(alice)).toEqual([]);
  });

  test('are given to nobody before the event store has answered, but for what is the installation’s', async () => {
    const { store, comes } = awayStore();
    const keys = guard(new MemoryKeyStore(), store);
    await keys.confirm(never);
    const calls = [keys.keyFor(alice), keys.find('x'), keys.idsOf(alice), keys.destroy(['x'])];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'store-unavailable' } });
    }
    expect((await keys.keyFor('installation/addresses')).key.symmetricKeySize).toBe(32);
    comes();
    expect((await eventually(() => keys.keyFor(alice))).owner).toBe(alice);
  });

  test('that turn out to be others once the event store answers are never given, and somebody is told', async () => {
    await guard(new MemoryKeyStore()).confirm(never);
    const { store, comes } = awayStore();
    const keys = guard(new MemoryKeyStore(), store);
    const failed = new Promise<Error>((resolve) => void keys.confirm(resolve));
    await eventually(async () => (await keys.find('x').catch(() => 'closed')) === 'closed');
    comes();
    expect(await failed).toBeInstanceOf(StoreUnusable);
    await expect(keys.keyFor(alice)).rejects.toThrow(/kept elsewhere/);
  });

  test('are not waited for any more once they are closed', async () => {
    const { store } = awayStore();
    const keys = guard(new MemoryKeyStore(), store);
    await keys.confirm(never);
    await keys.close();
    await expect(keys.keyFor(alice)).rejects.toThrow(StoreUnavailable);
  });

  describe('where the event store names none yet, as before this version', () => {
    beforeEach(async () => {
      const lost = new Vault(new MemoryKeyStore());
      const data = { displayName: await lost.sealFor(alice, 'name', 'Alice') };
      await opened.store.append('recipient.event-alice', 'noStream', [{ id: newId(), type: 'recipient.put.v1', data }]);
    });

    test('are those that were in use: they are noted', async () => {
      const keys = new MemoryKeyStore();
      await keys.keyFor(installationKeyOwner);
      const guarded = guard(keys);
      await guarded.confirm(never);
      expect((await guarded.keyFor(alice)).owner).toBe(alice);
      await expect(guard(new MemoryKeyStore()).confirm(never)).rejects.toThrow(StoreUnusable);
    });

    test('are none that nobody has used yet', async () => {
      await expect(guard(new MemoryKeyStore()).confirm(never)).rejects.toThrow(/not in the new key store [\w-]{16} /);
    });
  });

  test('that are lost can be replaced, by those that are named', async () => {
    await guard(new MemoryKeyStore()).confirm(never);
    const keys = new MemoryKeyStore();
    const { id } = await keys.keyFor(installationKeyOwner);
    await expect(guard(keys).confirm(never)).rejects.toThrow(`not in ${id} `);
    await expect(guard(keys, opened.store, 'another').confirm(never)).rejects.toThrow(StoreUnusable);
    await guard(keys, opened.store, id).confirm(never);
    const later = guard(keys);
    await later.confirm(never);
    expect((await later.keyFor(alice)).owner).toBe(alice);
  });
});
