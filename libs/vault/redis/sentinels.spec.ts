import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StoreUnavailable } from '#libs/store/port';
import { eventually, specNotRun } from '#libs/testing';
import { redisIsMissing, RedisSentinels } from '#libs/testing/redis';
import { openRedisKeys, parseRedisUrl, Vault, type RedisKeyStore } from '../index.js';

const missing = redisIsMissing();
if (missing !== undefined) specNotRun('the keys under the watch of sentinels', missing);
else {
  describe('keys under the watch of sentinels', () => {
    let sentinels: RedisSentinels;
    let store: RedisKeyStore;

    beforeAll(async () => {
      sentinels = await RedisSentinels.start();
      const connection = parseRedisUrl(sentinels.url);
      // The replicas take a moment to be in step with their master.
      store = await eventually(() => openRedisKeys({ connection, patience: 15_000 }));
    });
    afterAll(async () => {
      await store?.close();
      await sentinels?.remove();
    });

    it('outlive their master: a write under way is done by the replica that takes over, and nothing is lost', async () => {
      const before = await eventually(() =>
        Promise.all(Array.from({ length: 50 }, (_, index) => store.keyFor(`recipient/${index}`))),
      );
      const gone = before.slice(0, 10).map(({ id }) => id);
      await store.destroy(gone);
      const vault = new Vault(store);
      const sealed = await vault.sealFor('recipient/20', 'name', 'Twenty');

      await sentinels.master.kill();
      const made = await eventually(() => store.keyFor('recipient/new'));

      expect((await store.keyFor('recipient/new')).id).toBe(made.id);
      for (const id of gone) expect(await store.find(id)).toBeUndefined();
      for (const { id, key } of before.slice(10)) expect((await store.find(id))?.key.equals(key)).toBe(true);
      expect(await vault.open(sealed)).toBe('Twenty');
    }, 60_000);

    it('are not made any more where no replica is left, and can be read', async () => {
      const [known] = await Promise.all([store.keyFor('recipient/30')]);
      const [first, second] = sentinels.replicas;
      // One of the two is the master now; whichever it is, none follows it any more.
      const info = await Promise.all([first!, second!].map(async (server) => server.isMaster()));
      await (info[0] ? second! : first!).kill();
      await eventually(async () => {
        await expect(store.keyFor(`recipient/${Math.random()}`)).rejects.toThrow(StoreUnavailable);
        return true;
      });
      await expect(store.keyFor('recipient/late')).rejects.toThrow(/replicas have a change, and 1 must have it/);
      expect((await store.find(known.id))?.key.equals(known.key)).toBe(true);
    }, 60_000);
  });
}
