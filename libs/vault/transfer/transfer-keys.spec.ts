import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { eventually, specNotRun, testOnlyCertificate } from '#libs/testing';
import { redisIsMissing, RedisServer } from '#libs/testing/redis';
import {
  installationKeyOwner,
  KeyDestroyed,
  openRedisKeyInventory,
  openRedisKeys,
  openSqliteKeyInventory,
  parseRedisUrl,
  SqliteKeyStore,
  transferKeys,
  TransferRefused,
  Vault,
  type DataKey,
  type KeyInventory,
  type KeyStore,
} from '../index.js';

const alice = 'recipient/alice';
const quick = { answerWithin: 2_000, patience: 4_000, replicatedWithin: 200 };

const missing = redisIsMissing();
if (missing !== undefined) specNotRun('keys that are copied to Redis and back', missing);
else {
  let redis: RedisServer;
  let folder: string;
  let prefixes = 0;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis?.remove());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidings-transfer-'));
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    await rm(folder, { recursive: true });
  });

  /** A place for keys: what a server sees there, and what a copy does. */
  interface Place {
    store(): Promise<KeyStore>;
    inventory(): Promise<KeyInventory>;
  }

  function inFolder(name: string): Place {
    const directory = join(folder, name);
    return {
      store: () => SqliteKeyStore.open(directory),
      inventory: () => openSqliteKeyInventory(directory),
    };
  }

  function inRedis(url = `${redis.url}/?prefix=test-${(prefixes += 1)}:`, ca?: string): Place {
    const options = { ...quick, connection: parseRedisUrl(url), ca };
    return { store: () => openRedisKeys(options), inventory: () => openRedisKeyInventory(options) };
  }

  /** With the store of a place, which is closed before anything is copied. */
  async function using<Result>(place: Place, work: (store: KeyStore) => Promise<Result>): Promise<Result> {
    const store = await place.store();
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  async function copy(from: Place, to: Place) {
    // A server that has just gone is noticed a moment later.
    const source = await eventually(() => from.inventory());
    closing.push(() => source.close());
    const target = await eventually(() => to.inventory());
    closing.push(() => target.close());
    try {
      return await transferKeys(source, target);
    } finally {
      for (const close of closing.splice(-2)) await close();
    }
  }

  const make = (place: Place, ...owners: string[]): Promise<DataKey[]> =>
    using(place, (store) => Promise.all(owners.map((owner) => store.keyFor(owner))));
  const destroy = (place: Place, ...keys: DataKey[]): Promise<number> =>
    using(place, (store) => store.destroy(keys.map(({ id }) => id)));

  /** What a store says of keys: the id that the owner has, and whether the key is the same. */
  async function expectSame(place: Place, kept: readonly DataKey[], gone: readonly DataKey[]): Promise<void> {
    await using(place, async (store) => {
      for (const { id, owner, key } of kept) {
        expect(await store.idsOf(owner)).toEqual([id]);
        expect((await store.find(id))?.key.equals(key)).toBe(true);
      }
      for (const { id } of gone) expect(await store.find(id)).toBeUndefined();
    });
  }

  describe.each([
    ['keys.db to Redis', () => inFolder('source'), () => inRedis()],
    ['Redis to keys.db', () => inRedis(), () => inFolder('target')],
    ['Redis to Redis', () => inRedis(), () => inRedis()],
    ['keys.db to keys.db', () => inFolder('source'), () => inFolder('target')],
  ])('a copy from %s', (_, makeSource, makeTarget) => {
    let source: Place;
    let target: Place;
    beforeEach(() => {
      [source, target] = [makeSource(), makeTarget()];
    });

    test('has every key, those of the installation too, and knows which were destroyed', async () => {
      const owners = Array.from({ length: 1_300 }, (_each, index) => `recipient/${index}`);
      const keys = await make(source, installationKeyOwner, 'installation/bounces', 'broadcast/b-1', ...owners);
      const gone = keys.slice(100, 200);
      await destroy(source, ...gone);
      const copied = await copy(source, target);
      expect(copied).toEqual({ keys: 1_203, destroyed: 100, sha256: expect.stringMatching(/^[\da-f]{64}$/) });
      await expectSame(target, [...keys.slice(0, 100), ...keys.slice(200)], gone);
      // A second copy finds all there; one of the copy is the same.
      expect(await copy(source, target)).toEqual(copied);
      expect(await copy(target, inRedis())).toEqual(copied);
    });

    test('opens what was sealed, and nobody who was erased', async () => {
      const seal = async (store: KeyStore) => {
        const vault = new Vault(store);
        const name = await vault.sealFor(alice, 'name', 'Alice');
        const bob = await vault.sealFor('recipient/bob', 'name', 'Bob');
        await vault.destroy(await vault.keyIdsOf('recipient/bob'));
        return { name, bob };
      };
      const { name, bob } = await using(source, seal);
      await copy(source, target);
      await using(target, async (store) => {
        const vault = new Vault(store);
        expect(await vault.open(name)).toBe('Alice');
        await expect(vault.open(bob)).rejects.toThrow(KeyDestroyed);
      });
    });

    test('has what either side has destroyed destroyed, also after an earlier copy', async () => {
      const [kept, late, elsewhere] = await make(source, alice, 'recipient/late', 'recipient/elsewhere');
      await copy(source, target);
      await destroy(source, late!);
      // Somebody who comes back has another key.
      const [again] = await make(source, 'recipient/late');
      await destroy(target, elsewhere!);
      const [anew] = await make(target, 'recipient/elsewhere', 'recipient/new');
      expect(await copy(source, target)).toMatchObject({ keys: 2, destroyed: 2 });
      await expectSame(target, [kept!, again!, anew!], [late!, elsewhere!]);
    });

    test('is refused where the target has keys of its own, which stay as they are', async () => {
      const [mine] = await make(source, alice, 'recipient/bob');
      const theirs = await make(target, alice, 'recipient/carol');
      await destroy(source, mine!);
      const [other] = await make(source, alice);
      const refusal = copy(source, target);
      await expect(refusal).rejects.toThrow(TransferRefused);
      await expect(refusal).rejects.toThrow(`has keys of its own: ${theirs[0]!.id}`);
      await expectSame(target, theirs, [mine!, other!]);
      expect(await using(target, (store) => store.idsOf('recipient/bob'))).toEqual([]);
    });

    test('takes the place of what a server has made that then did not start', async () => {
      const keys = await make(source, installationKeyOwner, 'installation/bounces', alice);
      const unused = await make(target, installationKeyOwner, 'installation/bounces');
      expect(await copy(source, target)).toMatchObject({ keys: 3, destroyed: 0 });
      await expectSame(target, keys, unused);
    });

    test('is refused where the target is the store of another installation', async () => {
      await make(source, installationKeyOwner, alice);
      const theirs = await make(target, installationKeyOwner, 'recipient/bob');
      await expect(copy(source, target)).rejects.toThrow(/has keys of its own/);
      await expectSame(target, theirs, []);
    });
  });

  test('a key of another content or owner under the same id is refused', async () => {
    const [source, target] = [inFolder('source'), inRedis()];
    const [key] = await make(source, alice);
    const prefix = `test-${prefixes}:`;
    const client = new Redis(redis.url);
    try {
      const secret = key!.key.export().toString('base64url');
      for (const fields of [
        { owner: alice, key: Buffer.alloc(32, 7).toString('base64url') },
        { owner: 'recipient/bob', key: secret },
      ]) {
        await client.hset(`${prefix}key:${key!.id}`, fields);
        await expect(copy(source, target)).rejects.toThrow(`holds another key under the id ${key!.id}`);
        expect(await client.hgetall(`${prefix}key:${key!.id}`)).toEqual(fields);
      }
      await client.hset(`${prefix}key:${key!.id}`, { owner: alice, key: 'short' });
      await expect(copy(source, target)).rejects.toThrow(`key ${key!.id} is damaged`);
    } finally {
      client.disconnect();
    }
  });

  test('no byte of a key that was destroyed since stays in the target', async () => {
    const [source, target] = [inRedis(), inFolder('target')];
    const [key] = await make(source, alice);
    await copy(source, target);
    await destroy(source, key!);
    await copy(source, target);
    const files = await readdir(join(folder, 'target'));
    for (const file of files) {
      expect((await readFile(join(folder, 'target', file))).includes(key!.key.export())).toBe(false);
    }
  });

  test('replicas have the copies, and nobody has to wait for that again', async () => {
    const replica = await RedisServer.startReplicaOf(redis);
    closing.push(() => replica.remove());
    const prefix = `test-${(prefixes += 1)}:`;
    const [source, target] = [inFolder('source'), inRedis(`${redis.url}/?prefix=${prefix}&replicas=1`)];
    const [kept, gone] = await make(source, alice, 'recipient/bob');
    await destroy(source, gone!);
    await eventually(() => copy(source, target));
    const client = new Redis(replica.url);
    try {
      expect(await client.hget(`${prefix}key:${gone!.id}`, 'destroyed')).toBe('1');
      expect(await client.hget(`${prefix}key:${kept!.id}`, 'owner')).toBe(alice);
      await eventually(async () => (await client.hget(`${prefix}key:${kept!.id}`, 'replicated')) === '1');
    } finally {
      client.disconnect();
    }
    await replica.kill();
    const other = inRedis(`${redis.url}/?prefix=${prefix}more:&replicas=1`);
    await eventually(async () => {
      const error: unknown = await copy(source, other).catch((thrown: unknown) => thrown);
      return error instanceof StoreUnavailable && /replicas have a change/.test(error.message);
    });
  });

  test('a Redis that a server uses is refused', async () => {
    const place = inRedis();
    await using(place, async (store) => {
      await store.keyFor(alice);
      await eventually(async () => {
        const error: unknown = await place.inventory().then(
          (inventory) => inventory.close(),
          (thrown: unknown) => thrown,
        );
        return error instanceof StoreUnusable && /is in use by 1 processes: stop them first/.test(error.message);
      });
    });
  });

  test('a Redis that is away, or does not let this user in, is told of', async () => {
    const server = await RedisServer.startWithTls(['--requirepass', 'secret']);
    closing.push(() => server.remove());
    const url = `rediss://:secret@127.0.0.1:${server.port}`;
    const [source, target] = [inFolder('source'), inRedis(url, testOnlyCertificate)];
    const keys = await make(source, alice);
    expect(await copy(source, target)).toMatchObject({ keys: 1 });
    await expectSame(target, keys, []);
    await expect(inRedis(url.replace('secret', 'canary'), testOnlyCertificate).inventory()).rejects.toThrow(
      /WRONGPASS/,
    );
    const client = new Redis(server.port, { password: 'secret', tls: { ca: testOnlyCertificate } });
    await client.call('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '&*', '+@all', '-pubsub');
    await client.quit();
    const limited = inRedis(url.replace(':secret', 'limited:pw'), testOnlyCertificate).inventory();
    await expect(limited).rejects.toThrow(StoreUnusable);
    await expect(limited).rejects.toThrow(/NOPERM.*pubsub/);
    await server.kill();
    await expect(target.inventory()).rejects.toThrow(StoreUnavailable);
  });
}
