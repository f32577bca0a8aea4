import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import type { Reached } from './protocol.js';
import type { IndexTables, OpenTables } from './tables.js';

/**
 * `source`: where its records come from. `position` and `record_id`: the last one whose entries are in the tables, written
 * in the same transaction as they are.
 */
const ownSchema = `
CREATE TABLE progress (
  source TEXT NOT NULL,
  position INTEGER NOT NULL,
  record_id TEXT NOT NULL
);
`;

/** Files that SQLite keeps beside a database. */
const sideFiles = ['', '-wal', '-shm', '-journal'];

/** True where the file itself is bad, so that making it anew helps. */
export function isDamage(thrown: unknown): boolean {
  return thrown instanceof MadeDifferently || /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(thrown));
}

function sqliteCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

/** The file is of another version, or was not finished. */
class MadeDifferently extends Error {}

/** Removes an index's file. No connection to it may be left: the last one would remove files of the next. */
export function removeFile(path: string): void {
  for (const suffix of sideFiles) rmSync(path + suffix, { force: true });
}

/** An index's SQLite file, as its thread sees it: synchronous. */
export class IndexFile<Entry, Query, Answer> {
  private readonly database: Database.Database;
  private readonly open: OpenTables<Entry, Query, Answer>;

  /**
   * Opens the file, and makes it where there is none.
   * @throws what `isDamage` tells from other errors
   */
  constructor(
    path: string,
    private readonly tables: IndexTables<Entry, Query, Answer>,
  ) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const isNew = !existsSync(path);
    this.database = new Database(path);
    // Nothing in it is worth an fsync, but a power failure must not damage it unnoticed.
    this.database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    this.database.exec('PRAGMA secure_delete = ON; PRAGMA cache_size = -32768');
    if (isNew) this.create();
    this.check();
    this.open = tables.open(this.database);
  }

  /** The last record that is in; undefined when there is none. */
  reached(): Reached | undefined {
    const sql = 'SELECT source, position, record_id AS id FROM progress';
    const { source, position, id } = this.database.prepare(sql).get() as Reached;
    return id === '' ? undefined : { source, position, id };
  }

  /** Puts the entries and says how far they reach, both or neither. */
  apply(entries: readonly Entry[], reached: Reached): void {
    this.database.exec('BEGIN IMMEDIATE');
    let removed = false;
    try {
      for (const entry of entries) removed = this.open.put(entry) || removed;
      this.database
        .prepare('UPDATE progress SET source = ?, position = ?, record_id = ?')
        .run(reached.source, reached.position, reached.id);
      this.database.exec('COMMIT');
    } catch (thrown) {
      if (this.database.inTransaction) this.database.exec('ROLLBACK');
      throw thrown;
    }
    if (removed) this.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  answer(query: Query): Answer {
    return this.open.answer(query);
  }

  close(): void {
    this.database.close();
  }

  private create(): void {
    this.database.exec(`BEGIN IMMEDIATE; ${ownSchema} ${this.tables.schema}`);
    this.database.exec(`INSERT INTO progress VALUES ('', 0, ''); PRAGMA user_version = ${this.tables.version}; COMMIT`);
  }

  private check(): void {
    const { user_version: version } = this.database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version !== this.tables.version) throw new MadeDifferently(`it is of version ${version}`);
  }
}
