import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { StoreUnusable } from '#libs/store/port';

/** What the thread that copies keys is given. */
export interface KeyCopyRequest {
  readonly directory: string;
  readonly target: string;
}

export type KeyCopyReply = { readonly keys: number } | { readonly failure: string };

/**
 * Copies the keys of a data directory into one file, also while another process uses them. It reads for a moment at a time:
 * while somebody reads, no erasure can end. A key that is made or destroyed meanwhile may be in the copy or not.
 * @param target a file that does not exist yet
 * @returns how many keys are in it, destroyed ones included
 * @throws StoreUnusable where there are none, they cannot be read, or the copy cannot be written
 */
export async function copySqliteKeys(directory: string, target: string): Promise<number> {
  const workerData: KeyCopyRequest = { directory, target };
  // Without the process's own flags: some, as --input-type, keep a thread from starting.
  const worker = new Worker(new URL('./copy-keys.worker.js', import.meta.url), { workerData, execArgv: [] });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const [reply] = (await once(worker, 'message')) as [KeyCopyReply];
  await exited;
  if ('failure' in reply) throw new StoreUnusable(reply.failure);
  return reply.keys;
}
