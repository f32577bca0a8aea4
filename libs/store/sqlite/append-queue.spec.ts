import { expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { StoreUnavailable, Tail } from '#libs/store/port';
import { AppendQueue } from './append-queue.js';
import { Channel } from './channel.js';
import { encodeAppend, type Entry } from './codec.js';
import type { WriterRequest } from './messages.js';
import { withDefaults } from './options.js';

function entry(): Entry {
  return encodeAppend(`queue.tested-${newId()}`, 'noStream', [{ id: newId(), type: 'queue.tested.v1', data: {} }]);
}

test('rejects what is with the writer, what waits and what comes later when the writer dies', async () => {
  const dying = new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', () => process.exit(1));`)}`,
  );
  const queue: { current?: AppendQueue } = {};
  const channel = new Channel<WriterRequest>(dying, undefined, (error) => queue.current!.fail(error));
  queue.current = new AppendQueue(channel, new Tail(0n, 10, 1000), withDefaults({ directory: '', maxBatchEvents: 2 }));
  const answers = await Promise.allSettled(
    [entry(), entry(), entry(), entry(), entry()].map((one) => queue.current!.add([one])),
  );
  for (const answer of answers)
    expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });
  await expect(queue.current.add([entry()])).rejects.toThrow(StoreUnavailable);
  await queue.current.drained();
});
