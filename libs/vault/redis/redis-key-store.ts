import { createSecretKey, randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { messageOf } from '#libs/kernel';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { keyBytes, newKeyId } from '../key-material.js';
import type { DataKey, Forget, KeyStore, KeyWatch } from '../key-store.js';
import { nameOfRedis } from './connection.js';
import { RedisKeyWatch } from './key-watch.js';
import { clientOptions, type Tuning } from './options.js';
import { Replication } from './replication.js';
import { Rewriting } from './rewriting.js';
import { destroyScript, keyForScript } from './scripts.js';
import { doubtsAbout, faultOf } from './server-settings.js';

/**
 * Keys in Redis, for any number of processes on any number of machines. Calls go over one connection, so they take effect in
 * order; see docs/shared-stores.md for what is guaranteed.
 */
export class RedisKeyStore implements KeyStore {
  private readonly name: string;
  private readonly redis: Redis;
  private readonly keyWatch: RedisKeyWatch;
  private readonly replication: Replication | undefined;
  private readonly rewriting: Rewriting;
  /** Since when Redis does not answer, in milliseconds of the process; undefined while it does. */
  private silentSince: number | undefined = performance.now();
  private trouble = 'it has not answered yet';
  private closed = false;

  private constructor(private readonly tuning: Tuning) {
    const { connection, log } = tuning;
    this.name = nameOfRedis(connection);
    this.redis = new Redis(clientOptions(tuning));
    this.redis.on('error', (error: Error) => (this.trouble = error.message));
    this.redis.on('sentinelError', (error: Error) => (this.trouble = error.message));
    this.redis.on('close', () => {
      if (this.silentSince !== undefined || this.closed) return;
      this.silentSince = performance.now();
      log.unreachable(this.name, this.trouble);
    });
    this.redis.on('ready', () => {
      if (this.silentSince !== undefined) log.reachable(this.name);
      this.silentSince = undefined;
      this.trouble = 'the connection was closed';
    });
    this.keyWatch = new RedisKeyWatch(this.redis, `${connection.prefix}destroyed`, tuning.rememberedFor);
    if (connection.replicas > 0) this.replication = new Replication(tuning);
    this.rewriting = new Rewriting(this.redis, tuning.rewriteAfter, (error) => log.notRewritten(this.name, error));
  }

  /**
   * Connects, and looks whether the server keeps what it is told.
   * @throws StoreUnavailable when it does not answer, StoreUnusable when it does not keep it
   */
  static async open(tuning: Tuning): Promise<RedisKeyStore> {
    const store = new RedisKeyStore(tuning);
    try {
      await store.ask(() => store.redis.ping());
      const fault = await store.ask(() => faultOf(store.redis));
      if (fault !== undefined) throw new StoreUnusable(`Redis at ${store.name} cannot keep the keys: ${fault}`);
      store.rewriting.request();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  async keyFor(owner: string): Promise<DataKey> {
    const { prefix } = this.tuning.connection;
    const made = randomBytes(keyBytes).toString('base64url');
    const [id, key, replicated] = (await this.ask(() =>
      this.redis.eval(keyForScript, 0, prefix, owner, newKeyId(), made),
    )) as [string, string, string | null];
    if (this.replication && replicated !== '1') await this.ask(() => this.replication!.ofKey(id));
    return keyOf(id, owner, key);
  }

  async find(keyId: string): Promise<DataKey | undefined> {
    const [owner, key] = await this.ask(() => this.redis.hmget(this.entry('key', keyId), 'owner', 'key'));
    return owner == null || key == null ? undefined : keyOf(keyId, owner, key);
  }

  async idsOf(owner: string): Promise<readonly string[]> {
    const id = await this.ask(() => this.redis.get(this.entry('owner', owner)));
    return id === null ? [] : [id];
  }

  async destroy(keyIds: readonly string[]): Promise<number> {
    if (keyIds.length === 0) return 0;
    const { prefix } = this.tuning.connection;
    const destroyed = (await this.ask(() => this.redis.eval(destroyScript, 0, prefix, ...keyIds))) as number;
    if (destroyed > 0) this.rewriting.request();
    await this.ask(async () => this.replication?.ofDestruction(keyIds));
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
    if (this.silentSince !== undefined) throw this.unavailable(this.trouble);
    const fault = await this.ask(() => faultOf(this.redis));
    if (fault !== undefined) throw this.unavailable(fault);
    return this.ask(() => doubtsAbout(this.redis));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.rewriting.stop();
    this.keyWatch.stop();
    this.replication?.close();
    // What was asked before has its answer before that of QUIT.
    if (this.redis.status === 'ready') await this.redis.quit().catch(() => undefined);
    this.redis.disconnect();
  }

  private entry(kind: 'owner' | 'key', name: string): string {
    return `${this.tuning.connection.prefix}${kind}:${name}`;
  }

  /** A client's error holds the command, and so the key: only its text goes on. */
  private async ask<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (this.closed) throw new StoreUnavailable('the key store is closed');
    const { silentSince, tuning } = this;
    if (silentSince !== undefined && performance.now() - silentSince > tuning.patience) {
      throw this.unavailable(this.trouble);
    }
    try {
      return await call();
    } catch (error) {
      throw this.unavailable(this.silentSince === undefined ? messageOf(error) : this.trouble);
    }
  }

  private unavailable(reason: string): StoreUnavailable {
    return new StoreUnavailable(`Redis at ${this.name}: ${reason}`);
  }
}

function keyOf(id: string, owner: string, key: string): DataKey {
  return { id, owner, key: createSecretKey(Buffer.from(key, 'base64url')) };
}
