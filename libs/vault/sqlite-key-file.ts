import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { messageOf } from '#libs/kernel';
import { StoreUnusable } from '#libs/store/port';
import { keyBytes, newKeyId } from './key-material.js';
import type { KeyAnswer, KeyRequest, KeyRow } from './sqlite-key-protocol.js';

export const keyFileVersion = 1;

/**
 * Rows are only added at the end and changed in place, never deleted: SQLite then never moves a key to another page,
 * where a copy in unused space would escape `secure_delete`. A destroyed key is a row without owner, its key zeros.
 */
export const keyFileSchema = `
  CREATE TABLE data_key (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT UNIQUE,
    key BLOB NOT NULL
  ) STRICT;
  PRAGMA user_version = ${keyFileVersion};
`;

/** Of the key of an id. */
export const wipeStatement = `
  UPDATE data_key SET owner = NULL, key = zeroblob(${keyBytes}) WHERE id = ? AND owner IS NOT NULL
`;

export type KeyDatabase = Database.Database;

/** `keys.db` as the worker sees it: synchronous. */
export class KeyFile {
  private readonly keyOf;
  private readonly keyById;
  private readonly add;
  private readonly wipe;

  private constructor(private readonly db: KeyDatabase) {
    this.keyOf = db.prepare('SELECT id, owner, key FROM data_key WHERE owner = ?');
    this.keyById = db.prepare('SELECT id, owner, key FROM data_key WHERE id = ? AND owner IS NOT NULL');
    this.add = db.prepare('INSERT INTO data_key (id, owner, key) VALUES (?, ?, ?)');
    this.wipe = db.prepare(wipeStatement);
  }

  /** @throws StoreUnusable */
  static open(path: string): KeyFile {
    return new KeyFile(openKeyFile(path));
  }

  /** Answers the requests in order, in one transaction. */
  run(batch: readonly KeyRequest[]): readonly KeyAnswer[] {
    const answers = inTransaction(this.db, () => batch.map((request) => this.answer(request)));
    if (batch.some(({ ask }) => ask === 'destroy')) truncateLog(this.db);
    return answers;
  }

  close(): void {
    this.db.close();
  }

  private answer(request: KeyRequest): KeyAnswer {
    switch (request.ask) {
      case 'keyFor':
        return this.keyFor(request.owner);
      case 'find':
        return row(this.keyById.get(request.id));
      case 'idsOf':
        return this.idsOf(request.owner);
      case 'destroy':
        return request.ids.reduce((destroyed, id) => destroyed + this.wipe.run(id).changes, 0);
      case 'close':
        return undefined;
    }
  }

  private keyFor(owner: string): KeyRow {
    const found = row(this.keyOf.get(owner));
    if (found) return found;
    const made = { id: newKeyId(), owner, key: randomBytes(keyBytes) };
    this.add.run(made.id, made.owner, made.key);
    return made;
  }

  private idsOf(owner: string): readonly string[] {
    const found = row(this.keyOf.get(owner));
    return found ? [found.id] : [];
  }
}

/** Opens or makes the file, readable by the operating system's owner only. @throws StoreUnusable */
export function openKeyFile(path: string): KeyDatabase {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives its side files the mode of the database file.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    const db = new Database(path);
    try {
      prepare(db);
      // A crash between a destroy and its checkpoint leaves the key in the log.
      truncateLog(db);
      return db;
    } catch (thrown) {
      db.close();
      throw thrown;
    }
  } catch (thrown) {
    throw new StoreUnusable(`${path}: ${messageOf(thrown)}`);
  }
}

/** Brings the database file up to date and leaves nothing in the log. */
export function truncateLog(db: KeyDatabase): void {
  const [result] = db.pragma('wal_checkpoint(TRUNCATE)') as [{ busy: number }];
  if (result.busy) throw new Error('another process reads the key file: destroyed keys are still in its log');
}

export function inTransaction<Result>(db: KeyDatabase, work: () => Result): Result {
  db.exec('BEGIN');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (thrown) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw thrown;
  }
}

function prepare(db: KeyDatabase): void {
  db.exec('PRAGMA busy_timeout = 1000');
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > keyFileVersion) {
    throw new Error(`made by a newer version: its format is ${version}, this one knows ${keyFileVersion}`);
  }
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
  if (version === 0) db.exec(`BEGIN; ${keyFileSchema} COMMIT`);
  const { quick_check: health } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (health !== 'ok') throw new Error(`damaged: ${health}`);
}

function row(found: unknown): KeyRow | undefined {
  if (!found) return undefined;
  const { id, owner, key } = found as KeyRow;
  return { id, owner, key };
}
