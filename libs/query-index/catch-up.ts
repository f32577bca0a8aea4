import { setTimeout as delay } from 'node:timers/promises';

const askEvery = 20;

/** A part of the way from a record to where it is seen. */
export interface Stage {
  readonly name: string;
  /** Everything up to here has been handled, and what came of it is in the store. */
  position(): bigint | Promise<bigint>;
}

/**
 * Tells when everything that was recorded up to a position can be seen, where what is seen is derived over several stages:
 * each has to reach what the one before had written by the time at which it got there.
 */
export class CatchUp {
  private readonly stopping = new AbortController();

  /**
   * @param stages in their order
   * @param head position of the last record of the store
   */
  constructor(
    private readonly stages: readonly Stage[],
    private readonly head: () => Promise<bigint>,
  ) {}

  /**
   * Waits until all stages are there.
   * @param patience in milliseconds, over all stages
   * @returns undefined, or the name of the stage that is not there in time
   */
  async reaches(position: bigint, patience: number): Promise<string | undefined> {
    const { signal } = this.stopping;
    const deadline = performance.now() + patience;
    let target = position;
    for (const stage of this.stages) {
      while ((await stage.position()) < target) {
        if (performance.now() >= deadline || signal.aborted) return stage.name;
        await delay(askEvery, undefined, { signal }).catch(() => undefined);
      }
      const head = await this.head();
      if (head > target) target = head;
    }
    return undefined;
  }

  /** Whoever waits is told at once, now and from now on. */
  stop(): void {
    this.stopping.abort();
  }
}
