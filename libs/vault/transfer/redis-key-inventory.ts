import type { Redis } from 'ioredis';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { keyBytes } from '../key-material.js';
import { KeyServer } from '../redis/key-server.js';
import type { Tuning } from '../redis/options.js';
import { Replication } from '../redis/replication.js';
import { addScript, destroyedChannel, noteDestroyedScript } from '../redis/scripts.js';
import { isKept, type KeptKey, type KeyEntry, type KeyInventory } from './key-inventory.js';

/** How many entries Redis looks at in one step: it answers nobody else meanwhile. */
const stepSize = 500;

/** The keys in Redis. */
export class RedisKeyInventory implements KeyInventory {
  private readonly server: KeyServer;
  private readonly replication: Replication | undefined;

  private constructor(private readonly tuning: Tuning) {
    this.server = new KeyServer(tuning);
    if (tuning.connection.replicas > 0) this.replication = new Replication(tuning);
  }

  /** @throws StoreUnavailable; StoreUnusable where it cannot be used, or somebody uses it */
  static async open(tuning: Tuning): Promise<RedisKeyInventory> {
    const inventory = new RedisKeyInventory(tuning);
    try {
      await inventory.server.connect();
      await inventory.checkUnused();
      return inventory;
    } catch (error) {
      await inventory.close();
      throw error;
    }
  }

  get name(): string {
    return `Redis at ${this.server.name}`;
  }

  async *pages(): AsyncGenerator<readonly KeyEntry[]> {
    const prefix = this.entry('key', '');
    // Other entries may begin like the names of keys, and have more behind it.
    const pattern = new RegExp(`^${prefix.replaceAll('.', '\\.')}([\\w-]{1,64})$`);
    for (let cursor = '0'; ;) {
      const [next, names] = await this.server.ask((redis) =>
        redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', stepSize),
      );
      const ids = names.map((name) => pattern.exec(name)?.[1]).filter((id) => id !== undefined);
      const entries = await this.entriesOf([...new Set(ids)]);
      if (entries.size > 0) yield [...entries.values()];
      if (next === '0') return;
      cursor = next;
    }
  }

  async entriesOf(ids: readonly string[]): Promise<ReadonlyMap<string, KeyEntry>> {
    const entries = await this.server.ask((redis) => Promise.all(ids.map((id) => this.entryOf(redis, id))));
    return new Map(entries.filter((entry) => entry !== undefined).map((entry) => [entry.id, entry]));
  }

  async keysOf(owners: readonly string[]): Promise<readonly KeptKey[]> {
    const ids = await this.server.ask((redis) =>
      Promise.all(owners.map((owner) => redis.get(this.entry('owner', owner)))),
    );
    return [...(await this.entriesOf(ids.filter((id) => id !== null))).values()].filter(isKept);
  }

  async add(keys: readonly KeptKey[]): Promise<void> {
    const args = keys.flatMap(({ id, owner, key }) => [id, owner, Buffer.from(key).toString('base64url')]);
    await this.write(addScript, args);
    if (this.replication) await this.server.ask(() => this.replication!.note(keys.map(({ id }) => id)));
  }

  async destroy(ids: readonly string[]): Promise<void> {
    await this.write(noteDestroyedScript, ids);
  }

  async close(): Promise<void> {
    this.replication?.close();
    await this.server.close();
  }

  private async write(script: string, args: readonly string[]): Promise<void> {
    const { prefix } = this.tuning.connection;
    await this.server.ask<unknown>((redis) =>
      this.replication ? this.replication.write(script, prefix, ...args) : redis.eval(script, 0, prefix, ...args),
    );
  }

  private async entryOf(redis: Redis, id: string): Promise<KeyEntry | undefined> {
    const [owner, text, destroyed] = await redis.hmget(this.entry('key', id), 'owner', 'key', 'destroyed');
    if (destroyed != null) return { id, key: null };
    if (owner == null && text == null) return undefined;
    const key = Buffer.from(text ?? '', 'base64url');
    if (owner == null || key.length !== keyBytes) throw new StoreUnusable(`${this.name}: key ${id} is damaged`);
    return { id, owner, key };
  }

  /** Whoever uses the keys listens for those that are destroyed. */
  private async checkUnused(): Promise<void> {
    const channel = destroyedChannel(this.tuning.connection.prefix);
    const [, listeners] = await this.server.ask((redis) => redis.pubsub('NUMSUB', channel)).catch(refusal);
    if (Number(listeners) === 0) return;
    throw new StoreUnusable(`${this.name} is in use by ${Number(listeners)} processes: stop them first`);
  }

  private entry(kind: 'owner' | 'key', name: string): string {
    return `${this.tuning.connection.prefix}${kind}:${name}`;
  }
}

/** Rights that the servers do without. */
function refusal(error: Error): never {
  const isRight = error instanceof StoreUnavailable && error.message.includes('NOPERM');
  throw isRight ? new StoreUnusable(error.message) : error;
}
