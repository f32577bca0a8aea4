import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FacadeOptions } from '#libs/store/facade';

/** What can be told to a thread. */
export type FacadeThreadOptions = Pick<FacadeOptions, 'writable' | 'tls' | 'users'>;

/**
 * Facades before one real store, in a thread of their own: for clients that bring the protocol's classes along, since two
 * copies of them in one thread collide.
 */
export class FacadeThread {
  private constructor(
    private readonly worker: Worker,
    /** Of the facades, in their order. */
    readonly ports: readonly number[],
  ) {}

  static async open(...facades: readonly FacadeThreadOptions[]): Promise<FacadeThread> {
    const worker = new Worker(new URL('./facade.worker.js', import.meta.url), { workerData: facades, execArgv: [] });
    const [ports] = (await once(worker, 'message')) as [number[]];
    return new FacadeThread(worker, ports);
  }

  async remove(): Promise<void> {
    const exited = once(this.worker, 'exit');
    this.worker.postMessage('close');
    await exited;
  }
}
