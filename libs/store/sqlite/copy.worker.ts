import { closeSync, fsyncSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'libsql';
import { StoreUnavailable } from '#libs/store/port';
import { failureOf, isFull } from './failure.js';
import type { CopyRequest, Reply, StoreCopy } from './messages.js';
import { databaseFile, openForCopying } from './schema.js';

/** Makes one copy, then ends: a thread that is gone holds no file. */
const { directory, target } = workerData as CopyRequest;

function headOf(database: Database.Database): number {
  const [row] = database.prepare('SELECT max(position) AS head FROM events').all() as [{ head: number | null }];
  return row.head ?? 0;
}

function copy(): StoreCopy {
  const source = openForCopying(directory);
  // SQLite writes into an empty file, and leaves its mode as it is.
  closeSync(openSync(target, 'wx', 0o600));
  const head = headOf(source);
  source.exec(`VACUUM INTO '${target.replaceAll("'", "''")}'`);
  source.close();
  const result = check(head);
  sync();
  return result;
}

function check(atLeast: number): StoreCopy {
  const database = new Database(target);
  const problems = database.prepare('PRAGMA integrity_check(3)').all() as { integrity_check: string }[];
  const found = problems.map(({ integrity_check: problem }) => problem).join('; ');
  if (found !== 'ok') throw new StoreUnavailable(`${target} is not a good copy: ${found}`);
  const [{ records }] = database.prepare('SELECT count(*) AS records FROM events').all() as [{ records: number }];
  const head = headOf(database);
  database.close();
  if (head < atLeast) throw new StoreUnavailable(`${target} ends at position ${head}, the store at ${atLeast}`);
  return { head, records };
}

function sync(): void {
  const descriptor = openSync(target, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function answer(): Reply<StoreCopy> {
  try {
    return { value: copy() };
  } catch (thrown) {
    if (thrown instanceof StoreUnavailable) return { failure: { code: thrown.code, message: thrown.message } };
    return { failure: failureOf(thrown, isFull(thrown) ? target : databaseFile(directory)) };
  }
}

parentPort!.postMessage(answer());
