import type { Redis } from 'ioredis';
import { messageOf } from '#libs/kernel';

/**
 * Has the append-only file rewritten some time after a destruction: until then it holds the bytes of the destroyed keys. One
 * rewriting serves all destructions before it.
 */
export class Rewriting {
  private timer: NodeJS.Timeout | undefined;
  private hasFailed = false;

  constructor(
    private readonly redis: Redis,
    private readonly after: number,
    private readonly failed: (error: string) => void,
  ) {}

  request(): void {
    this.timer ??= setTimeout(() => void this.rewrite(), this.after).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private async rewrite(): Promise<void> {
    this.timer = undefined;
    try {
      await this.redis.bgrewriteaof();
      this.hasFailed = false;
    } catch (error) {
      // One that is under way may have begun before the destruction.
      this.request();
      if (!this.hasFailed && !messageOf(error).includes('in progress')) this.failed(messageOf(error));
      this.hasFailed = true;
    }
  }
}
