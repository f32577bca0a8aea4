import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { StoreUnusable } from '#libs/store/port';
import type { Tuning } from './options.js';

/** `PRAGMA user_version` of the files that this code writes. */
const schemaVersion = 1;

/*
 * Names that recur are interned as small integers. The key is the text after the first hyphen of a stream's name.
 * `managed` marks a category some stream of which has metadata or a tombstone: only there can a stream be hidden,
 * deleted, or start above revision 0. `retention` holds what is in force for such a stream.
 * No index on event ids: idempotence looks at known revisions only, and random ids would ruin its locality.
 */
const schema = `
CREATE TABLE categories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  managed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE types (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  category INTEGER NOT NULL,
  key TEXT NOT NULL,
  revision INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  type INTEGER NOT NULL,
  created INTEGER NOT NULL,
  data TEXT NOT NULL,
  causation TEXT,
  metadata TEXT
);
CREATE UNIQUE INDEX events_by_stream ON events (key, category, revision);
CREATE INDEX events_by_category ON events (category, position);
CREATE TABLE retention (
  category INTEGER NOT NULL,
  key TEXT NOT NULL,
  max_count INTEGER,
  max_age INTEGER,
  truncate_before INTEGER,
  tombstoned INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (category, key)
) WITHOUT ROWID;
PRAGMA user_version = ${schemaVersion};
`;

export function databaseFile(directory: string): string {
  return join(directory, 'events.db');
}

/** The directory's lock keeps other stores out; tools such as a backup may still hold the file for a moment. */
const busyTimeoutMs = 5000;
const headerLength = 100;
const magic = 'SQLite format 3\0';
const userVersionOffset = 60;

/** Looks at the header without SQLite, which would already write beside the file. */
function checkHeader(file: string): void {
  if (!existsSync(file)) return;
  const header = Buffer.alloc(headerLength);
  const descriptor = openSync(file, 'r');
  const length = readSync(descriptor, header, 0, headerLength, 0);
  closeSync(descriptor);
  if (length === 0) return;
  if (length < headerLength || header.toString('latin1', 0, magic.length) !== magic) {
    throw new StoreUnusable(
      `${file} is damaged or not a database: restore it from a backup, or move it away to start empty`,
    );
  }
  checkVersion(file, header.readUInt32BE(userVersionOffset));
}

function checkVersion(file: string, version: number): void {
  if (version > schemaVersion) {
    throw new StoreUnusable(
      `${file} was made by a newer version (format ${version}, this one knows ${schemaVersion}): use that version, or a copy from before the upgrade`,
    );
  }
}

function versionOf(database: Database.Database): number {
  const row = database.prepare('PRAGMA user_version').get() as { user_version: number };
  return row.user_version;
}

/** Opens the file for its one writer, making the tables when it is new. Call with the lock held. */
export function openForWriting(tuning: Tuning): Database.Database {
  const file = databaseFile(tuning.directory);
  checkHeader(file);
  const database = new Database(file);
  try {
    const version = versionOf(database);
    checkVersion(file, version);
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    database.exec(`PRAGMA cache_size = -${tuning.cacheKib}`);
    database.exec(`PRAGMA wal_autocheckpoint = ${tuning.checkpointPages}`);
    if (tuning.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${tuning.maxPages}`);
    if (version === 0) {
      database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
      // The version has to stand in the file's header, where an older program looks for it.
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    }
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** A second connection that cannot write. */
export function openForReading(tuning: Tuning): Database.Database {
  const database = new Database(databaseFile(tuning.directory));
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  database.exec('PRAGMA query_only = ON');
  database.exec(`PRAGMA cache_size = -${tuning.cacheKib}`);
  return database;
}

/** A connection to copy from, also while another process has the lock. @throws StoreUnusable */
export function openForCopying(directory: string): Database.Database {
  const file = databaseFile(directory);
  // Opening would make the file.
  if (!existsSync(file)) throw new StoreUnusable(`${file} does not exist`);
  checkHeader(file);
  const database = new Database(file);
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  return database;
}
