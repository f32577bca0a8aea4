import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { valueOf, type CopyRequest, type Reply, type StoreCopy } from './messages.js';

/**
 * Copies the store of a directory into one file, also while another process writes it: everything that was answered before,
 * nothing by half. It has a connection and a thread of its own, and nobody who writes waits for it. What it answers stands in
 * the copy, which is checked and on the disk by then.
 * @param target a file that does not exist yet
 * @throws StoreUnusable where there is no store, it is damaged, or was made by a newer version; StoreUnavailable else,
 * such as where no space is left; what is in the file then is worth nothing
 */
export async function copySqliteStore(directory: string, target: string): Promise<StoreCopy> {
  const workerData: CopyRequest = { directory, target };
  // Without the process's own flags: some, as --input-type, keep a thread from starting.
  const worker = new Worker(new URL('./copy.worker.js', import.meta.url), { workerData, execArgv: [] });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const [reply] = (await once(worker, 'message')) as [Reply<StoreCopy>];
  await exited;
  return valueOf(reply);
}
