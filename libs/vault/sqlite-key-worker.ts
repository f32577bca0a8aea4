import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '#libs/kernel';
import { StoreUnusable } from '#libs/store/port';
import { KeyFile } from './sqlite-key-file.js';
import type { KeyReply, KeyRequest } from './sqlite-key-protocol.js';

function attempt(work: () => KeyReply): void {
  try {
    parentPort!.postMessage(work());
  } catch (thrown) {
    const failure: KeyReply = { failure: messageOf(thrown), unusable: thrown instanceof StoreUnusable };
    parentPort!.postMessage(failure);
  }
}

attempt(() => {
  const file = KeyFile.open(workerData as string);
  parentPort!.on('message', (batch: readonly KeyRequest[]) => {
    attempt(() => ({ answers: file.run(batch) }));
    if (batch.some(({ ask }) => ask === 'close')) {
      file.close();
      parentPort!.close();
    }
  });
  return { answers: [] };
});
