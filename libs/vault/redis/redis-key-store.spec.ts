import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { eventually, specNotRun, testOnlyCertificate } from '#libs/testing';
import { redisIsMissing, RedisServer } from '#libs/testing/redis';
import { describeKeyStoreContract, describeSharedKeyStoreContract } from '#libs/testing/vault';
import {
  KeyDestroyed,
  openRedisKeys,
  parseRedisUrl,
  Vault,
  type RedisKeyOptions,
  type RedisKeyStore,
} from '../index.js';

const alice = 'recipient/alice';

const missing = redisIsMissing();
if (missing !== undefined) specNotRun('the keys in Redis', missing);
else {
  let redis: RedisServer;
  const opened: RedisKeyStore[] = [];
  const servers: RedisServer[] = [];
  let prefixes = 0;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await Promise.all(servers.splice(0).map((server) => server.remove()));
  });
  afterAll(() => redis?.remove());

  /** Short times, so that a test of an outage does not take long. */
  const quick = { answerWithin: 300, patience: 700, rememberedFor: 400 };
  /** What is refused is not waited for. */
  const patient = { patience: 50_000 };

  async function open(url: string, options: Partial<RedisKeyOptions> = {}): Promise<RedisKeyStore> {
    const store = await openRedisKeys({ ...quick, connection: parseRedisUrl(url), ...options });
    opened.push(store);
    return store;
  }

  async function start(more: readonly string[] = []): Promise<RedisServer> {
    const server = await RedisServer.start(more);
    servers.push(server);
    return server;
  }

  function toldOf() {
    const told: string[] = [];
    const log = {
      unreachable: () => told.push('unreachable'),
      reachable: () => told.push('reachable'),
      notRewritten: () => told.push('not rewritten'),
    };
    return { told, log };
  }

  /** A URL under which nothing is stored yet. */
  function emptyUrl(): string {
    prefixes += 1;
    return `${redis.url}/?prefix=test-${prefixes}:`;
  }

  async function filesHold(folder: string, text: string): Promise<boolean> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const contents = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name))));
    return contents.some((content) => content.includes(text));
  }

  describeKeyStoreContract('RedisKeyStore', () => open(emptyUrl()));
  describeSharedKeyStoreContract('RedisKeyStore', async () => {
    const url = emptyUrl();
    return () => open(url);
  });

  describe('RedisKeyStore', () => {
    it('keeps keys, and that others are destroyed, when Redis is killed and started again', async () => {
      const server = await start();
      const store = await open(server.url);
      const [kept, gone] = await Promise.all([store.keyFor('recipient/bob'), store.keyFor(alice)]);
      await store.destroy([gone.id]);
      await server.kill();
      await server.restart();
      const found = await eventually(() => store.find(kept.id));
      expect(found.key.equals(kept.key)).toBe(true);
      expect(await store.find(gone.id)).toBeUndefined();
      expect(await store.idsOf(alice)).toEqual([]);
    });

    it('never stores what is sealed', async () => {
      const server = await start();
      const vault = new Vault(await open(server.url));
      await vault.sealFor(alice, 'content', 'the canary sings');
      expect(await filesHold(server.folder, alice)).toBe(true);
      expect(await filesHold(server.folder, 'canary')).toBe(false);
    });

    it('has the bytes of destroyed keys removed from the append-only file', async () => {
      const server = await start();
      const store = await open(server.url, { rewriteAfter: 20 });
      const [kept, gone] = await Promise.all([store.keyFor('recipient/bob'), store.keyFor(alice)]);
      const textOf = ({ key }: { key: { export(): Buffer } }) => key.export().toString('base64url');
      expect(await filesHold(server.folder, textOf(gone))).toBe(true);
      await store.destroy([gone.id]);
      await eventually(async () => !(await filesHold(server.folder, textOf(gone))));
      expect(await filesHold(server.folder, textOf(kept))).toBe(true);
      expect(await filesHold(server.folder, gone.id)).toBe(true);
    });

    it('leaves nothing of a destroyed key but its id and that it is destroyed', async () => {
      const url = emptyUrl();
      const store = await open(url);
      const { id } = await store.keyFor(alice);
      await store.destroy([id]);
      const client = new Redis(url.split('?')[0]!);
      try {
        const prefix = url.split('prefix=')[1]!;
        expect(await client.keys(`${prefix}*`)).toEqual([`${prefix}key:${id}`]);
        expect(await client.hgetall(`${prefix}key:${id}`)).toEqual({ destroyed: '1' });
      } finally {
        client.disconnect();
      }
    });

    it('finishes what was asked when it closes, and answers nothing after', async () => {
      const url = emptyUrl();
      const store = await open(url);
      const asked = store.keyFor(alice);
      await Promise.all([store.close(), store.close()]);
      const { id } = await asked;
      await expect(store.keyFor(alice)).rejects.toThrow(StoreUnavailable);
      expect((await (await open(url)).keyFor(alice)).id).toBe(id);
    });
  });

  describe('a Redis with TLS', () => {
    it('is used where its certificate is trusted, and not otherwise', async () => {
      const server = await RedisServer.startWithTls(['--requirepass', 'secret']);
      servers.push(server);
      const url = `rediss://:secret@127.0.0.1:${server.port}`;
      const store = await open(url, { ca: testOnlyCertificate });
      const { id } = await store.keyFor(alice);
      await eventually(async () => (await store.find(id))?.owner === alice);
      const begun = performance.now();
      await expect(open(url, patient)).rejects.toThrow(StoreUnusable);
      await expect(open(url, patient)).rejects.toThrow(/self-signed certificate/);
      expect(performance.now() - begun).toBeLessThan(patient.patience / 2);
      await expect((await open(url.replace('rediss', 'redis'))).check()).rejects.toThrow(StoreUnavailable);
    });
  });

  describe('a Redis that would lose keys', () => {
    it('is refused without an append-only file', async () => {
      const server = await start(['--appendonly', 'no']);
      await expect(open(server.url)).rejects.toThrow(StoreUnusable);
      await expect(open(server.url)).rejects.toThrow(/127\.0\.0\.1:\d+ cannot keep the keys: .*set appendonly yes/);
    });

    it('is refused where it removes entries when its memory is full', async () => {
      const server = await start(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
      await expect(open(server.url)).rejects.toThrow(/maxmemory-policy is allkeys-lru; set noeviction/);
    });

    it('is told of where it does not write at once', async () => {
      const server = await start(['--appendfsync', 'everysec']);
      expect(await (await open(server.url)).check()).toMatch(/appendfsync is everysec; set always/);
      expect(await (await open(redis.url)).check()).toBeUndefined();
    });

    it('is told of when it comes to be one', async () => {
      const server = await start();
      const store = await open(server.url);
      const client = new Redis(server.url);
      await client.config('SET', 'appendonly', 'no');
      client.disconnect();
      await expect(store.check()).rejects.toThrow(/set appendonly yes/);
    });
  });

  describe('a Redis that is away', () => {
    it('is waited for at the start, and used once it is there', async () => {
      const server = await start();
      await server.kill();
      const { told, log } = toldOf();
      const store = await open(server.url, { log });
      expect(told).toEqual(['unreachable']);
      await expect(store.keyFor(alice)).rejects.toThrow(StoreUnavailable);
      await expect(store.check()).rejects.toThrow(/Redis at 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
      await server.restart();
      const { id } = await eventually(() => store.keyFor(alice));
      expect((await store.find(id))?.owner).toBe(alice);
      expect(told).toEqual(['unreachable', 'reachable']);
    });

    it('is not used where it turns out later that it would lose keys, or does not know the password', async () => {
      const server = await start(['--appendonly', 'no']);
      const locked = await start(['--requirepass', 'secret']);
      await Promise.all([server.kill(), locked.kill()]);
      const [forgetful, stranger] = await Promise.all([open(server.url), open(locked.url)]);
      await Promise.all([server.restart(), locked.restart()]);
      const reasonOf = (store: RedisKeyStore) =>
        eventually(async () => {
          const error: unknown = await store.keyFor(alice).catch((thrown: unknown) => thrown);
          return error instanceof StoreUnusable ? error.message : undefined;
        });
      expect(await reasonOf(forgetful)).toMatch(/cannot keep the keys: .*set appendonly yes/);
      expect(await reasonOf(stranger)).toMatch(/NOAUTH/);
      const client = new Redis(server.url);
      expect(await client.dbsize()).toBe(0);
      client.disconnect();
    });

    it('fails calls after a while, then at once; and is there again by itself', async () => {
      const server = await start();
      const { told, log } = toldOf();
      const store = await open(server.url, { log });
      const { id } = await store.keyFor(alice);
      await server.kill();
      await expect(store.keyFor(alice)).rejects.toThrow(StoreUnavailable);
      await eventually(async () => {
        const before = performance.now();
        await expect(store.find(id)).rejects.toThrow(StoreUnavailable);
        return performance.now() - before < 50;
      });
      await expect(store.check()).rejects.toThrow(StoreUnavailable);
      await server.restart();
      expect((await eventually(() => store.find(id))).owner).toBe(alice);
      expect(told).toEqual(['reachable', 'unreachable', 'reachable']);
    });

    it('is noticed when it says nothing any more, and what is remembered is not used then', async () => {
      const server = await start();
      const store = await open(server.url);
      const vault = new Vault(store);
      const sealed = await vault.sealFor(alice, 'name', 'Alice');
      await eventually(async () => (await vault.open(sealed)) === 'Alice' && vault.openNow(sealed) === 'Alice');
      server.silence();
      const silentAt = performance.now();
      await eventually(() => vault.openNow(sealed) === undefined);
      expect(performance.now() - silentAt).toBeLessThan(quick.rememberedFor + 5_000);
      await expect(vault.open(sealed)).rejects.toThrow(StoreUnavailable);
      server.goOn();
      await eventually(async () => (await vault.open(sealed)) === 'Alice' && vault.openNow(sealed) === 'Alice');
    });

    it('has what it destroyed in between forgotten, also where nobody heard of it', async () => {
      const server = await start();
      const [mine, theirs] = [await open(server.url), new Vault(await open(server.url))];
      const sealed = await theirs.sealFor(alice, 'name', 'Alice');
      await eventually(async () => (await theirs.open(sealed)) === 'Alice' && theirs.openNow(sealed) === 'Alice');
      // As after an outage of the one process's network: its connections are cut, and the other one goes on.
      const client = new Redis(server.url);
      await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await mine.destroy(await mine.idsOf(alice));
      await client.quit();
      const opened = () => theirs.open(sealed).catch((error: unknown) => error);
      await eventually(async () => (await opened()) instanceof KeyDestroyed);
      expect(theirs.openNow(sealed)).toBeUndefined();
    });

    it('tells no secrets', async () => {
      const server = await start(['--requirepass', 'canary-password']);
      const wrong = server.url.replace('//', '//user:canary-wrong@');
      const begun = performance.now();
      await expect(open(wrong, patient)).rejects.toThrow(StoreUnusable);
      await expect(open(wrong, patient)).rejects.toThrow(/WRONGPASS/);
      await expect(open(server.url, patient)).rejects.toThrow(/NOAUTH/);
      expect(performance.now() - begun).toBeLessThan(patient.patience / 2);
      await expect(open(wrong)).rejects.not.toThrow(/canary/);
      const right = await open(server.url.replace('//', '//:canary-password@'));
      const { key } = await right.keyFor(alice);
      const client = new Redis(server.url, { password: 'canary-password' });
      await client.config('SET', 'min-replicas-to-write', '1');
      await client.quit();
      const refused = await right.keyFor('recipient/bob').catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StoreUnavailable);
      expect(JSON.stringify([refused, String(refused)])).not.toMatch(/canary|recipient/);
      expect((refused as Error).cause).toBeUndefined();
      expect((await right.keyFor(alice)).key.equals(key)).toBe(true);
    });

    it('is another thing than a server that is no Redis', async () => {
      const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      await expect((await open(`redis://127.0.0.1:${port}`)).check()).rejects.toThrow(StoreUnavailable);
      server.close();
    });
  });
}
