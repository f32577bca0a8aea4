import { MalformedConnection, nameOf, openEventStoreDb, parseConnection } from '#libs/store/eventstoredb';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { directoryOf, type Opened } from '../copy/data-directory.js';
import { CommandFailed, exitCodes } from '../exit-codes.js';
import { certificatesIn, placeOf, urlOf } from '../places.js';

/**
 * Opens the store of a data directory, or of a server of EventStoreDB, which has to answer.
 * @param text a folder, an esdb:// URL, or env:NAME for one that stands in the environment
 * @param ca file of certificates (PEM) to trust, for a server
 * @throws CommandFailed, StoreUnusable
 */
export async function openPlace(
  option: 'from' | 'to',
  text: string,
  ca: string | undefined,
): Promise<Opened<EventStore>> {
  const place = placeOf(option, text);
  if (/^esdb(\+discover)?:/.test(place)) return openServer(option, place, ca);
  const directory = directoryOf(option, place, option === 'from' ? 'events.db' : undefined);
  const store = await openSqliteStore({ directory });
  return { name: directory, store, close: () => store.close() };
}

async function openServer(option: string, url: string, ca: string | undefined): Promise<Opened<EventStore>> {
  const connection = urlOf(option, url, parseConnection, MalformedConnection);
  const caFile = ca ?? connection.tlsCaFile;
  const name = nameOf(connection);
  const store = await openEventStoreDb({ connection, ca: caFile === undefined ? undefined : certificatesIn(caFile) });
  try {
    await store.head();
  } catch (error) {
    await store.close();
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new CommandFailed(exitCodes.unreachable, `EventStoreDB ${name}: ${error.message}`);
  }
  return { name: `EventStoreDB ${name}`, store, close: () => store.close() };
}
