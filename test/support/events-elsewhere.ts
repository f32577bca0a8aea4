import { join } from 'node:path';
import { openEventStoreDb, parseConnection } from '#libs/store/eventstoredb';
import { startFacade, type Facade } from '#libs/store/facade';
import type { EventStore } from '#libs/store/port';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';
import type { Environment } from './program.js';

/** With this setting the servers of all tests keep their events in a server of EventStoreDB each, for which the facade stands. */
export const eventsAreElsewhere = process.env['TIDINGS_TEST_EVENTS'] === 'eventstoredb';

/** One has a server of events of its own; the other serves those of the data directory. */
const neither = ['TIDINGS_EVENTSTORE_URL', 'TIDINGS_FACADE'];

interface Elsewhere {
  readonly store: SqliteEventStore;
  readonly facade: Facade;
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

/** What a server with this data directory is to be told of its events; nothing where they are in the directory. */
export async function eventsOf(dataDir: string, env: Environment = {}): Promise<Environment> {
  if (!eventsAreElsewhere || neither.some((name) => env[name] !== undefined)) return {};
  let started = running.get(dataDir);
  if (started === undefined) running.set(dataDir, (started = start(dataDir)));
  const { facade } = await started;
  return { TIDINGS_EVENTSTORE_URL: `esdb://127.0.0.1:${facade.port}?tls=false` };
}

export async function endEventsOf(dataDir: string): Promise<void> {
  const { facade, store } = (await running.get(dataDir)) ?? {};
  running.delete(dataDir);
  await facade?.close();
  await store?.close();
}

async function start(dataDir: string): Promise<Elsewhere> {
  // Within the data directory, where tests look for what must not be on disk.
  const store = await openSqliteStore({ directory: join(dataDir, 'elsewhere') });
  return { store, facade: await startFacade(store, { writable: true, limits: { closing: 50 } }) };
}
