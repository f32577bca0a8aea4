import { join } from 'node:path';
import type { RecordedEvent } from '#libs/kernel';
import { openEventStoreDb, parseConnection } from '#libs/store/eventstoredb';
import { startFacade } from '#libs/store/facade';
import type { EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import type { Environment } from './program.js';

/** With this setting the servers of all tests keep their events in a server of EventStoreDB each, for which the facade stands. */
export const eventsAreElsewhere = process.env['TIDINGS_TEST_EVENTS'] === 'eventstoredb';

/** One has a server of events of its own; the other serves those of the data directory. */
const neither = ['TIDINGS_EVENTSTORE_URL', 'TIDINGS_FACADE'];

/** A server of events. */
interface Elsewhere {
  readonly store: EventStore;
  /** For those who keep theirs in it. */
  readonly settings: Environment;
  close(): Promise<void>;
}

/** By data directory: a server that is started again finds its events again. */
const running = new Map<string, Promise<Elsewhere>>();

/** The store of a data directory; where its events are in it, no server may use it now. */
export async function openEvents(dataDir: string): Promise<EventStore> {
  const { TIDINGS_EVENTSTORE_URL: url } = await eventsOf(dataDir);
  return url === undefined
    ? openSqliteStore({ directory: dataDir })
    : openEventStoreDb({ connection: parseConnection(url) });
}

/** Does something to the store of a data directory that no server uses now. */
export async function withStore<Result>(dataDir: string, use: (store: EventStore) => Promise<Result>): Promise<Result> {
  const store = await openEvents(dataDir);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Everything in such a store, in order. */
export function readStore(dataDir: string): Promise<readonly RecordedEvent[]> {
  return withStore(dataDir, async (store) => {
    const records: RecordedEvent[] = [];
    for await (const record of store.readAll()) records.push(record);
    return records;
  });
}

/** What a server with this data directory is to be told of its events; nothing where they are in the directory. */
export async function eventsOf(dataDir: string, env: Environment = {}): Promise<Environment> {
  if (!eventsAreElsewhere || neither.some((name) => env[name] !== undefined)) return {};
  let started = running.get(dataDir);
  // Within the data directory, where tests look for what must not be on disk.
  if (started === undefined) running.set(dataDir, (started = startElsewhere(join(dataDir, 'elsewhere'))));
  return (await started).settings;
}

export async function endEventsOf(dataDir: string): Promise<void> {
  const elsewhere = await running.get(dataDir);
  running.delete(dataDir);
  await elsewhere?.close();
}

/** In the process of the test, so that no kill takes it. */
export async function startElsewhere(directory: string): Promise<Elsewhere> {
  const store = await openSqliteStore({ directory });
  const facade = await startFacade(store, { writable: true, limits: { closing: 50 } });
  return {
    store,
    settings: { TIDINGS_EVENTSTORE_URL: `esdb://127.0.0.1:${facade.port}?tls=false` },
    async close() {
      await facade.close();
      await store.close();
    },
  };
}
