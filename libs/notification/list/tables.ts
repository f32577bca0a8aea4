import type Database from 'libsql';
import type { IndexTables, OpenTables } from '#libs/query-index';
import type { ErasureEntry, ListAnswer, ListEntry, ListQuery, NotificationEntry, OperationEntry } from './entries.js';
import { bytesOf, sqlOf } from './queries.js';

/*
 * Everything is found in the order of its place. The tables have no row numbers, so each index ends in the place, and
 * what it finds comes out of it in order. `owner_key` remembers destroyed keys: what comes late finds its key there.
 */
const schema = `
CREATE TABLE notification (
  place BLOB PRIMARY KEY,
  position INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  category TEXT NOT NULL,
  severity TEXT NOT NULL,
  status TEXT NOT NULL,
  broadcast TEXT
) WITHOUT ROWID;
CREATE INDEX notification_by_recipient ON notification (recipient);
CREATE INDEX notification_by_category ON notification (category);
CREATE INDEX notification_by_severity ON notification (severity);
CREATE INDEX notification_by_status ON notification (status);
CREATE INDEX notification_by_broadcast ON notification (broadcast) WHERE broadcast IS NOT NULL;
CREATE TABLE tag (
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  place BLOB NOT NULL,
  PRIMARY KEY (name, value, place)
) WITHOUT ROWID;
CREATE TABLE operation (
  place BLOB NOT NULL,
  id BLOB NOT NULL,
  channel TEXT NOT NULL,
  status TEXT NOT NULL,
  address BLOB,
  owner_key INTEGER,
  PRIMARY KEY (place, id)
) WITHOUT ROWID;
CREATE INDEX operation_by_address ON operation (address) WHERE address IS NOT NULL;
CREATE INDEX operation_by_channel ON operation (channel);
CREATE INDEX operation_by_status ON operation (channel, status);
CREATE TABLE owner_key (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  destroyed INTEGER NOT NULL DEFAULT 0
);
`;

/** The index of notifications and their operations. */
export const tables: IndexTables<ListEntry, ListQuery, ListAnswer> = {
  version: 2,
  schema,
  open: (database) => new ListTables(database),
};

interface OwnerKey {
  readonly number: number;
  readonly destroyed: number;
}

/** Values are handed over as one array: alone, bytes would be taken for named values. */
type Value = string | number | Buffer | null;

class ListTables implements OpenTables<ListEntry, ListQuery, ListAnswer> {
  private readonly statements = new Map<string, Database.Statement>();

  constructor(private readonly database: Database.Database) {}

  put(entry: ListEntry): boolean {
    if (entry.kind === 'erasure') return this.forget(entry);
    this.putNotification(entry);
    return false;
  }

  answer(query: ListQuery): ListAnswer {
    const { sql, parameters } = sqlOf(query);
    return this.prepared(sql).all(parameters) as ListAnswer;
  }

  private putNotification(entry: NotificationEntry): void {
    const { position, recipientId, category, severity, status, broadcastId } = entry;
    const place = bytesOf(entry.place);
    const known = this.get<{ position: number }>('SELECT position FROM notification WHERE place = ?', place);
    if (known !== undefined && known.position >= position) return;
    if (known === undefined) {
      const row = [place, position, recipientId, category, severity, status, broadcastId];
      this.run('INSERT INTO notification VALUES (?, ?, ?, ?, ?, ?, ?)', ...row);
      // They are those of the request, and never change.
      for (const [name, value] of entry.tags) this.run('INSERT INTO tag VALUES (?, ?, ?)', name, value, place);
    } else {
      this.run('UPDATE notification SET position = ?, status = ? WHERE place = ?', position, status, place);
      this.run('DELETE FROM operation WHERE place = ?', place);
    }
    for (const operation of entry.operations) this.putOperation(place, operation);
  }

  private putOperation(place: Buffer, { id, channel, status, address }: OperationEntry): void {
    const key = address === null ? undefined : this.ownerKey(address.keyId);
    const found = key?.destroyed === 0 ? [bytesOf(address!.hash), key.number] : [null, null];
    this.run('INSERT INTO operation VALUES (?, ?, ?, ?, ?, ?)', place, bytesOf(id), channel, status, ...found);
  }

  private ownerKey(id: string): OwnerKey {
    const find = 'SELECT number, destroyed FROM owner_key WHERE id = ?';
    const found = this.get<OwnerKey>(find, id);
    if (found !== undefined) return found;
    this.run('INSERT INTO owner_key (id) VALUES (?)', id);
    return this.get<OwnerKey>(find, id)!;
  }

  private forget({ recipientId, keyIds }: ErasureEntry): boolean {
    let removed = 0;
    for (const keyId of keyIds) {
      const { number } = this.ownerKey(keyId);
      this.run('UPDATE owner_key SET destroyed = 1 WHERE number = ?', number);
      removed += this.run(
        `UPDATE operation SET address = NULL, owner_key = NULL
         WHERE owner_key = ? AND place IN (SELECT place FROM notification WHERE recipient = ?)`,
        number,
        recipientId,
      );
    }
    return removed > 0;
  }

  /** How many rows it changed. */
  private run(sql: string, ...values: readonly Value[]): number {
    return this.prepared(sql).run(values).changes;
  }

  private get<Row>(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.prepared(sql).get(values) as Row | undefined;
  }

  private prepared(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }
}
