import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '#libs/kernel';
import { IndexFile, isDamage, removeFile } from './index-file.js';
import type { IndexReply, IndexRequest, WorkerData } from './protocol.js';
import type { IndexTables } from './tables.js';

/** Owns an index's file; answers in order. */
const port = parentPort!;

type Tables = IndexTables<unknown, unknown, unknown>;

function answer(work: () => unknown): void {
  let reply: IndexReply;
  try {
    reply = { value: work() };
  } catch (thrown) {
    reply = { failure: messageOf(thrown), damaged: isDamage(thrown) };
  }
  port.postMessage(reply);
}

const { path, tables: module, anew } = workerData as WorkerData;
const { tables } = (await import(module)) as { tables: Tables };
answer(() => {
  if (anew) removeFile(path);
  const file = new IndexFile(path, tables);
  const handle = (request: IndexRequest<unknown, unknown>): unknown => {
    switch (request.kind) {
      case 'apply':
        return file.apply(request.entries, request.reached);
      case 'query':
        return file.answer(request.query);
      case 'close':
        return file.close();
    }
  };
  port.on('message', (request: IndexRequest<unknown, unknown>) => {
    answer(() => handle(request));
    if (request.kind === 'close') port.close();
  });
  return file.reached();
});
