import type { Logger } from 'pino';
import { openEventStoreDb } from '#libs/store/eventstoredb';
import type { EventStore } from '#libs/store/port';
import { lockDirectory, openSqliteStore, type SqliteStoreStats } from '#libs/store/sqlite';
import type { Settings } from './settings/index.js';

/** The event store that the settings ask for, and the data directory for this process alone. */
export interface OpenedStore {
  readonly store: EventStore;
  /** What it has written; undefined where the store does not count it. */
  readonly stats: (() => SqliteStoreStats) | undefined;
  /** After the store was closed: another process may use the data directory. */
  readonly release: () => void;
}

/**
 * The embedded store in the data directory, or the server of EventStoreDB, which need not be there yet.
 * @throws StoreUnusable when another process uses the data directory
 */
export async function openStore({ dataDir, eventStore, eventStoreCa }: Settings, log: Logger): Promise<OpenedStore> {
  if (eventStore === undefined) {
    const store = await openSqliteStore({ directory: dataDir });
    return { store, stats: () => store.stats(), release: () => undefined };
  }
  // Keys, blobs and the query index are here all the same.
  const lock = lockDirectory(dataDir);
  try {
    const store = await openEventStoreDb({
      connection: eventStore.connection,
      ca: eventStoreCa ?? eventStore.ca,
      log: {
        unreachable: (server, error) =>
          log.warn({ server, error }, 'the event store does not answer; it is tried again'),
        reachable: (server) => log.info({ server }, 'the event store answers'),
      },
    });
    return { store, stats: undefined, release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}
