import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { messageOf } from '#libs/kernel';
import { StoreUnusable } from '#libs/store/port';
import { isBusy } from './failure.js';

/** Keeps every other process, and every other store of this one, out of a directory. Ends with the process. */
export interface DirectoryLock {
  release(): void;
}

/**
 * The lock is an open exclusive transaction on a small database: the operating system drops it when the process
 * dies, so nothing stale can stay behind. The file beside it only names the holder in the message.
 */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'lock.db');
  const holder = join(directory, 'lock.pid');
  const database = new Database(file);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    database.close();
    if (isBusy(thrown)) {
      throw new StoreUnusable(
        `${directory} is in use by process ${readHolder(holder)}: stop it, or use another directory`,
      );
    }
    throw new StoreUnusable(
      `${file} cannot be locked (${messageOf(thrown)}): remove this file if no process uses the directory`,
    );
  }
  writeFileSync(holder, `${process.pid}\n`);
  return {
    release() {
      rmSync(holder, { force: true });
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    // The holder is between taking the lock and writing its number.
    return '(unknown)';
  }
}
