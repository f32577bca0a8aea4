import type { Redis } from 'ioredis';
import type { Forget, KeyWatch } from '../key-store.js';

/**
 * Hears of the keys that are destroyed, by this process and by others.
 *
 * Destructions come over the same connection as answers do, in the order in which Redis has done things. So an answer to a
 * ping proves that everything destroyed before the ping was sent has been heard of. Until it has been proven within the last
 * `rememberedFor` milliseconds, nothing that is remembered may be used; and when the connection is lost, all is forgotten.
 */
export class RedisKeyWatch implements KeyWatch {
  private listener: Forget | undefined;
  /** Rises with every connection that is lost: what was asked on one proves nothing on the next. */
  private connection = 0;
  private subscribed = false;
  private provenAt = -Infinity;
  private asking = false;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly redis: Redis,
    private readonly channel: string,
    private readonly rememberedFor: number,
  ) {
    redis.on('message', (_channel: string, keyId: string) => this.listener?.([keyId]));
    redis.on('ready', () => void this.subscribe());
    redis.on('close', () => this.lose());
    this.timer = setInterval(() => void this.prove(), rememberedFor / 4).unref();
  }

  /** Tells the listener of every key that is destroyed from now on. */
  start(listener: Forget): void {
    this.listener = listener;
  }

  isCurrent(): boolean {
    return performance.now() - this.provenAt < this.rememberedFor;
  }

  stop(): void {
    clearInterval(this.timer);
    this.lose();
  }

  private lose(): void {
    this.connection += 1;
    this.subscribed = false;
    this.provenAt = -Infinity;
    this.listener?.('all');
  }

  private async subscribe(): Promise<void> {
    const { connection } = this;
    try {
      await this.redis.subscribe(this.channel);
    } catch {
      // Not heard of in time, or refused: the next round of the timer asks again.
      return;
    }
    if (connection !== this.connection) return;
    // What was remembered while nobody listened may be destroyed.
    this.listener?.('all');
    this.subscribed = true;
    await this.prove();
  }

  private async prove(): Promise<void> {
    if (this.asking || this.redis.status !== 'ready') return;
    this.asking = true;
    try {
      if (!this.subscribed) return await this.subscribe();
      const { connection } = this;
      const askedAt = performance.now();
      await this.redis.ping();
      if (connection === this.connection && this.subscribed) this.provenAt = askedAt;
    } catch {
      // Not proven; whoever asks for a key is told why.
    } finally {
      this.asking = false;
    }
  }
}
