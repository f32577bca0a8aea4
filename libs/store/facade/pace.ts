import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Records sent between two looks at the clock. */
const stride = 32;
/** Milliseconds of work that are worth a pause. */
const worthPausing = 5;

/**
 * Holds back those who read what is old, all of them together, so that the event loop works only a part of the time: a
 * priority alone leaves whoever writes the store to wait for caches and for the end of a time slice.
 */
export class Pace {
  #share = 1;
  #sent = 0;
  #since = performance.eventLoopUtilization();
  #pause: Promise<void> | undefined;

  /** @param share of the time, above 0, at most 1, which holds nobody back */
  set share(share: number) {
    if (this.#share === 1) this.#since = performance.eventLoopUtilization();
    this.#share = share;
  }

  /** To be awaited after each record. */
  step(): Promise<void> | undefined {
    if (this.#share === 1 || this.#pause !== undefined) return this.#pause;
    this.#sent += 1;
    if (this.#sent < stride) return undefined;
    this.#sent = 0;
    const { active, idle } = performance.eventLoopUtilization(this.#since);
    if (active < worthPausing) return undefined;
    const rest = active * (1 / this.#share - 1) - idle;
    if (rest < 1) {
      this.#since = performance.eventLoopUtilization();
      return undefined;
    }
    this.#pause = this.#rest(rest);
    return this.#pause;
  }

  async #rest(milliseconds: number): Promise<void> {
    await delay(milliseconds);
    this.#since = performance.eventLoopUtilization();
    this.#pause = undefined;
  }
}
