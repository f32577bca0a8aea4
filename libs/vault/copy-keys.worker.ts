import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'libsql';
import { messageOf } from '#libs/kernel';
import type { KeyCopyReply, KeyCopyRequest } from './copy-keys.js';
import { keyFileSchema, keyFileVersion } from './sqlite-key-file.js';

/** Makes one copy, then ends: a thread that is gone holds no file. */
const { directory, target } = workerData as KeyCopyRequest;
const file = join(directory, 'keys.db');
const rowsPerRead = 1_000;

type Row = readonly [number: number, id: string, owner: string | null, key: Uint8Array];

function copy(): number {
  // Opening would make the file.
  if (!existsSync(file)) throw new Error('it does not exist');
  const source = new Database(file);
  source.exec('PRAGMA busy_timeout = 5000');
  const [{ user_version: version }] = source.prepare('PRAGMA user_version').all() as [{ user_version: number }];
  if (version > keyFileVersion) {
    throw new Error(`made by a newer version: its format is ${version}, this one knows ${keyFileVersion}`);
  }
  closeSync(openSync(target, 'wx', 0o600));
  const copied = new Database(target);
  copied.exec(`PRAGMA synchronous = OFF; BEGIN; ${keyFileSchema} COMMIT`);
  const keys = copyRows(source, copied);
  const [{ integrity_check: health }] = copied.prepare('PRAGMA integrity_check(1)').all() as [
    { integrity_check: string },
  ];
  if (health !== 'ok') throw new Error(`the copy is not good: ${health}`);
  source.close();
  copied.close();
  const descriptor = openSync(target, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
  return keys;
}

/** Rows are never deleted, and new ones come at the end. */
function copyRows(source: Database.Database, copied: Database.Database): number {
  const read = source
    .prepare('SELECT number, id, owner, key FROM data_key WHERE number > ? ORDER BY number LIMIT ?')
    .raw();
  const insert = copied.prepare('INSERT INTO data_key (number, id, owner, key) VALUES (?, ?, ?, ?)');
  let keys = 0;
  for (let last = 0; ;) {
    const rows = read.all([last, rowsPerRead]) as Row[];
    copied.exec('BEGIN');
    for (const row of rows) insert.run([...row]);
    copied.exec('COMMIT');
    keys += rows.length;
    if (rows.length < rowsPerRead) return keys;
    last = rows.at(-1)![0];
  }
}

function answer(): KeyCopyReply {
  try {
    return { keys: copy() };
  } catch (thrown) {
    return { failure: `${file}: ${messageOf(thrown)}` };
  }
}

parentPort!.postMessage(answer());
