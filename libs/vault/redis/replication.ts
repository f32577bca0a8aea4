import { Redis } from 'ioredis';
import { clientOptions, type Tuning } from './options.js';
import { destroyScript, noteScript } from './scripts.js';

/**
 * Sees to it that replicas have what was written. It has a connection of its own: `WAIT` holds up all that comes behind it.
 * Each write is repeated on this connection, together with its `WAIT`, since that waits for the writes of its own connection
 * only: the first one may have gone to a master that is none any more.
 */
export class Replication {
  private readonly redis: Redis;

  constructor(private readonly tuning: Tuning) {
    // A write alone, without its `WAIT`, is not to be repeated on another connection.
    const reconnectOnError = (error: Error): boolean => error.message.includes('READONLY');
    this.redis = new Redis({ ...clientOptions(tuning), reconnectOnError });
    // Whoever waits is told.
    this.redis.on('error', () => undefined);
  }

  /** Resolves when the replicas have the key. Throws otherwise, also where the master has lost it. */
  async ofKey(id: string): Promise<void> {
    const { prefix } = this.tuning.connection;
    const exists = await this.write(noteScript, prefix, id, '0');
    if (exists === 0) throw new Error('a key was gone before a replica had it');
    await this.note([id]);
  }

  /** Resolves when the replicas know that these keys are destroyed. */
  async ofDestruction(ids: readonly string[]): Promise<void> {
    await this.write(destroyScript, this.tuning.connection.prefix, ...ids);
  }

  /** Notes of keys that the replicas have them, so that nobody has to wait for that again. */
  async note(ids: readonly string[]): Promise<void> {
    const { prefix } = this.tuning.connection;
    await Promise.all(ids.map((id) => this.redis.eval(noteScript, 0, prefix, id, '1')));
  }

  close(): void {
    this.redis.disconnect();
  }

  /** Runs a script that writes; resolves when the replicas have what it, and all before it, has written. */
  async write(script: string, ...args: readonly string[]): Promise<unknown> {
    const { connection, replicatedWithin } = this.tuning;
    const pipeline = this.redis
      .pipeline()
      .eval(script, 0, ...args)
      .wait(connection.replicas, replicatedWithin);
    const [written, waited] = (await pipeline.exec()) ?? [];
    const error = written?.[0] ?? waited?.[0];
    if (error) throw error;
    const count = waited![1] as number;
    if (count < connection.replicas) {
      throw new Error(`${count} replicas have a change, and ${connection.replicas} must have it`);
    }
    return written![1];
  }
}
