import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';

/** A real store in a directory of its own, which `remove` closes and deletes. */
export class TemporaryStore {
  private constructor(
    private readonly directory: string,
    readonly store: SqliteEventStore,
  ) {}

  static async open(): Promise<TemporaryStore> {
    const directory = await mkdtemp(join(tmpdir(), 'tidings-store-'));
    return new TemporaryStore(directory, await openSqliteStore({ directory }));
  }

  async remove(): Promise<void> {
    await this.store.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}
