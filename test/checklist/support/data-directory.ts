import { newId } from '#libs/kernel';
import { withStore } from '../../support/index.js';

/** Sets every consumer back to the beginning: the next server hands out everything once more. */
export function rewindConsumers(path: string): Promise<void> {
  return withStore(path, async (store) => {
    const streams = new Set<string>();
    const filter = { categories: ['runtime.checkpoint'] };
    for await (const { stream } of store.readAll({ filter })) streams.add(stream);
    for (const stream of streams) {
      const event = { id: newId(), type: 'runtime.checkpoint-reached.v1', data: { position: '0' } };
      await store.append(stream, 'streamExists', [event]);
    }
  });
}
