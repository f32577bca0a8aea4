import { join } from 'node:path';
import { messageOf } from '#libs/kernel';
import { StoreUnavailable } from '#libs/store/port';
import { keyBytes } from '../key-material.js';
import { inTransaction, openKeyFile, truncateLog, wipeStatement, type KeyDatabase } from '../sqlite-key-file.js';
import { isKept, type KeptKey, type KeyEntry, type KeyInventory } from './key-inventory.js';

const rowsPerPage = 500;

interface Row {
  readonly number: number;
  readonly id: string;
  readonly owner: string | null;
  readonly key: ArrayBuffer;
}

/** The keys in `keys.db`, read and written by this thread. Whoever opens it has the lock of the data directory. */
export class SqliteKeyInventory implements KeyInventory {
  readonly name: string;
  private readonly database: KeyDatabase;
  private readonly page;
  private readonly byId;
  private readonly byOwner;
  private readonly insert;
  private readonly wipe;

  /** Makes the file where there is none. @throws StoreUnusable */
  constructor(directory: string) {
    this.name = join(directory, 'keys.db');
    this.database = openKeyFile(this.name);
    const row = 'SELECT number, id, owner, key FROM data_key';
    this.page = this.database.prepare(`${row} WHERE number > ? ORDER BY number LIMIT ${rowsPerPage}`);
    this.byId = this.database.prepare(`${row} WHERE id = ?`);
    this.byOwner = this.database.prepare(`${row} WHERE owner = ?`);
    this.insert = this.database.prepare('INSERT OR IGNORE INTO data_key (id, owner, key) VALUES (?, ?, ?)');
    this.wipe = this.database.prepare(wipeStatement);
  }

  async *pages(): AsyncGenerator<readonly KeyEntry[]> {
    for (let last = 0; ;) {
      const rows = this.page.all(last) as Row[];
      if (rows.length === 0) return;
      last = rows.at(-1)!.number;
      yield rows.map(entryOf);
    }
  }

  async entriesOf(ids: readonly string[]): Promise<ReadonlyMap<string, KeyEntry>> {
    const rows = ids.map((id) => this.byId.get(id) as Row | undefined).filter((row) => row !== undefined);
    return new Map(rows.map((row) => [row.id, entryOf(row)]));
  }

  async keysOf(owners: readonly string[]): Promise<readonly KeptKey[]> {
    const rows = owners.map((owner) => this.byOwner.get(owner) as Row | undefined).filter((row) => row !== undefined);
    return rows.map(entryOf).filter(isKept);
  }

  async add(keys: readonly KeptKey[]): Promise<void> {
    this.write(() => {
      for (const { id, owner, key } of keys) this.insert.run(id, owner, key);
    });
  }

  async destroy(ids: readonly string[]): Promise<void> {
    this.write(() => {
      for (const id of ids) {
        this.wipe.run(id);
        this.insert.run(id, null, Buffer.alloc(keyBytes));
      }
    });
    this.attempt(() => truncateLog(this.database));
  }

  async close(): Promise<void> {
    this.database.close();
  }

  private write(work: () => void): void {
    this.attempt(() => inTransaction(this.database, work));
  }

  private attempt(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      throw new StoreUnavailable(`${this.name}: ${messageOf(thrown)}`);
    }
  }
}

function entryOf({ id, owner, key }: Row): KeyEntry {
  return owner === null ? { id, key: null } : { id, owner, key: Buffer.from(key) };
}
