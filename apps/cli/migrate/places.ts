import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MalformedConnection, nameOf, openEventStoreDb, parseConnection } from '#libs/store/eventstoredb';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { CommandFailed, exitCodes, usageError } from '../exit-codes.js';
import { certificatesIn, placeOf } from '../places.js';

const databaseFile = 'events.db';

/** A store that records are copied from or to. */
export interface Place {
  /** For people: without credentials. */
  readonly name: string;
  readonly store: EventStore;
}

/**
 * Opens the store of a data directory, or of a server of EventStoreDB, which has to answer.
 * @param text a folder, an esdb:// URL, or env:NAME for one that stands in the environment
 * @param ca file of certificates (PEM) to trust, for a server
 * @throws CommandFailed, StoreUnusable
 */
export async function openPlace(
  option: string,
  text: string,
  ca: string | undefined,
  isSource: boolean,
): Promise<Place> {
  const place = placeOf(option, text);
  if (/^esdb(\+discover)?:/.test(place)) return openServer(option, place, ca);
  const directory = resolve(place);
  if (isSource && !existsSync(join(directory, databaseFile)))
    throw usageError(`--${option}: ${directory} is no data directory: it has no ${databaseFile}`);
  if (existsSync(directory) && !statSync(directory).isDirectory())
    throw usageError(`--${option}: ${directory} is not a folder`);
  return { name: directory, store: await openSqliteStore({ directory }) };
}

async function openServer(option: string, url: string, ca: string | undefined): Promise<Place> {
  const connection = connectionOf(option, url);
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
  return { name: `EventStoreDB ${name}`, store };
}

function connectionOf(option: string, url: string) {
  try {
    return parseConnection(url);
  } catch (error) {
    if (!(error instanceof MalformedConnection)) throw error;
    throw usageError(`--${option} ${error.message}`);
  }
}
