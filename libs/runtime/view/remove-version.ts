import { versionCategory, type StreamDefinition } from '#libs/kernel';
import { StreamDeleted, type EventStore } from '#libs/store/port';

const removedAtOnce = 64;

/**
 * Removes the streams of a version for ever: its number is not given again. Killed in between, it can be repeated.
 * @throws StoreUnavailable
 */
export async function removeVersion(
  store: EventStore,
  view: StreamDefinition,
  version: number,
  signal: AbortSignal,
): Promise<void> {
  let streams = new Set<string>();
  const filter = { categories: [versionCategory(view, version)] };
  for await (const { stream, type } of store.readAll({ filter })) {
    if (signal.aborted) return;
    if (!type.startsWith('$')) streams.add(stream);
    if (streams.size < removedAtOnce) continue;
    await removeStreams(store, streams);
    streams = new Set();
  }
  await removeStreams(store, streams);
}

async function removeStreams(store: EventStore, streams: ReadonlySet<string>): Promise<void> {
  await Promise.all(
    [...streams].map((stream) =>
      store.tombstoneStream(stream, 'any').catch((error: unknown) => {
        if (!(error instanceof StreamDeleted)) throw error;
      }),
    ),
  );
}
