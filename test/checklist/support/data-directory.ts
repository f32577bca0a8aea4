import { newId } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { openEvents } from '../../support/index.js';

/** Does something to the store of a data directory that no server uses now. */
export async function withStore<Result>(path: string, use: (store: EventStore) => Promise<Result>): Promise<Result> {
  const store = await openEvents(path);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

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
