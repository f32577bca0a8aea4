import { parentPort, workerData } from 'node:worker_threads';
import { startFacade } from '#libs/store/facade';
import { TemporaryStore } from '../store/index.js';
import type { FacadeThreadOptions } from './facade-thread.js';

const opened = await TemporaryStore.open();
const facades = await Promise.all(
  (workerData as readonly FacadeThreadOptions[]).map((options) => startFacade(opened.store, options)),
);

async function close(): Promise<void> {
  await Promise.all(facades.map((facade) => facade.close()));
  await opened.remove();
}

// Nothing keeps the thread when it no longer listens.
parentPort!.once('message', () => void close());
parentPort!.postMessage(facades.map(({ port }) => port));
