import { createSecretKey, randomBytes } from 'node:crypto';
import { keyBytes, newKeyId } from '../key-material.js';
import type { DataKey, Forget, KeyStore, KeyWatch } from '../key-store.js';
import { KeyServer } from './key-server.js';
import { RedisKeyWatch } from './key-watch.js';
import type { Tuning } from './options.js';
import { Replication } from './replication.js';
import { Rewriting } from './rewriting.js';
import { destroyedChannel, destroyScript, keyForScript } from './scripts.js';
import { doubtsAbout, faultOf } from './server-settings.js';

/**
 * Keys in Redis, for any number of processes on any number of machines. Calls go over one connection, so they take effect in
 * order; see docs/shared-stores.md for what is guaranteed.
 */
export class RedisKeyStore implements KeyStore {
  private readonly server: KeyServer;
  private readonly keyWatch: RedisKeyWatch;
  private readonly replication: Replication | undefined;
  private readonly rewriting: Rewriting;

  private constructor(private readonly tuning: Tuning) {
    const { connection, log } = tuning;
    this.server = new KeyServer(tuning, () => this.rewriting.request());
    const { redis, name } = this.server;
    this.keyWatch = new RedisKeyWatch(redis, destroyedChannel(connection.prefix), tuning.rememberedFor);
    if (connection.replicas > 0) this.replication = new Replication(tuning);
    this.rewriting = new Rewriting(redis, tuning.rewriteAfter, (error) => log.notRewritten(name, error));
  }

  /**
   * Connects, and looks whether the server keeps what it is told. Where it does not answer in time, it is looked at as soon
   * as it does: until then every call throws `StoreUnavailable`, and where it then cannot be used, `StoreUnusable`.
   * @throws StoreUnusable when it answers, and cannot be used
   */
  static async open(tuning: Tuning): Promise<RedisKeyStore> {
    const store = new RedisKeyStore(tuning);
    try {
      await store.server.connect();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  async keyFor(owner: string): Promise<DataKey> {
    const { prefix } = this.tuning.connection;
    const made = randomBytes(keyBytes).toString('base64url');
    const [id, key, replicated] = (await this.server.ask((redis) =>
      redis.eval(keyForScript, 0, prefix, owner, newKeyId(), made),
    )) as [string, string, string | null];
    if (this.replication && replicated !== '1') await this.server.ask(() => this.replication!.ofKey(id));
    return keyOf(id, owner, key);
  }

  async find(keyId: string): Promise<DataKey | undefined> {
    const [owner, key] = await this.server.ask((redis) => redis.hmget(this.entry('key', keyId), 'owner', 'key'));
    return owner == null || key == null ? undefined : keyOf(keyId, owner, key);
  }

  async idsOf(owner: string): Promise<readonly string[]> {
    const id = await this.server.ask((redis) => redis.get(this.entry('owner', owner)));
    return id === null ? [] : [id];
  }

  async destroy(keyIds: readonly string[]): Promise<number> {
    if (keyIds.length === 0) return 0;
    const { prefix } = this.tuning.connection;
    const destroyed = (await this.server.ask((redis) => redis.eval(destroyScript, 0, prefix, ...keyIds))) as number;
    if (destroyed > 0) this.rewriting.request();
    await this.server.ask(async () => this.replication?.ofDestruction(keyIds));
    return destroyed;
  }

  watch(forget: Forget): KeyWatch {
    this.keyWatch.start(forget);
    return this.keyWatch;
  }

  /**
   * What an operator should know though the keys can be used; undefined where there is nothing.
   * @throws StoreUnavailable, without waiting for a server that is known to be away
   */
  async check(): Promise<string | undefined> {
    this.server.checkAnswers();
    const fault = await this.server.ask(faultOf);
    if (fault !== undefined) throw this.server.unavailable(fault);
    return this.server.ask(doubtsAbout);
  }

  async close(): Promise<void> {
    this.rewriting.stop();
    this.keyWatch.stop();
    this.replication?.close();
    await this.server.close();
  }

  private entry(kind: 'owner' | 'key', name: string): string {
    return `${this.tuning.connection.prefix}${kind}:${name}`;
  }
}

function keyOf(id: string, owner: string, key: string): DataKey {
  return { id, owner, key: createSecretKey(Buffer.from(key, 'base64url')) };
}
