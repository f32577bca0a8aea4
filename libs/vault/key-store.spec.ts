import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'libsql';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { describeKeyStoreContract } from '#libs/testing/vault';
import { KeyDestroyed, type KeyStore, MemoryKeyStore, SqliteKeyStore, Vault } from './index.js';

const alice = 'recipient/alice';

let directory: string;
const opened: KeyStore[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidings-vault-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await rm(directory, { recursive: true });
});

async function openSqlite(): Promise<SqliteKeyStore> {
  const store = await SqliteKeyStore.open(directory);
  opened.push(store);
  return store;
}

async function filesHold(bytes: Buffer): Promise<boolean> {
  const files = await Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name))));
  return files.some((file) => file.includes(bytes));
}

/** A process that gets Alice's key, does what the script says with its `store`, and is killed. */
async function dieAfter(script: string): Promise<{ id: string; secret: Buffer }> {
  const wholeScript = `(async () => {
    const { SqliteKeyStore } = await import(${JSON.stringify(new URL('./index.js', import.meta.url).href)});
    const store = await SqliteKeyStore.open(${JSON.stringify(directory)});
    const { id, key } = await store.keyFor(${JSON.stringify(alice)});
    ${script}
    require('node:fs').writeSync(1, id + ' ' + key.export().toString('hex'));
    process.kill(process.pid, 'SIGKILL');
  })()`;
  const child = spawn(process.execPath, ['--eval', wholeScript], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  const [id, secret] = output.split(' ') as [string, string];
  return { id, secret: Buffer.from(secret, 'hex') };
}

describeKeyStoreContract('MemoryKeyStore', async () => new MemoryKeyStore());
describeKeyStoreContract('SqliteKeyStore', openSqlite);

describe('SqliteKeyStore', () => {
  it('keeps keys, and destroys them for good, across openings', async () => {
    const store = await openSqlite();
    const vault = new Vault(store);
    const kept = await vault.sealFor('recipient/bob', 'name', 'Bob');
    const gone = await vault.sealFor(alice, 'name', 'Alice');
    await vault.destroy(await vault.keyIdsOf(alice));
    await vault.close();
    const again = new Vault(await openSqlite());
    expect(await again.open(kept)).toBe('Bob');
    await expect(again.open(gone)).rejects.toThrow(KeyDestroyed);
  });

  it('leaves no byte of a destroyed key in any file', async () => {
    const store = await openSqlite();
    const owners = Array.from({ length: 3000 }, (_, index) => `recipient/${(index * 7919) % 3000}`);
    const keys = await Promise.all(owners.map((owner) => store.keyFor(owner)));
    const secrets = keys.map(({ key }) => key.export());
    expect(await filesHold(secrets[1]!)).toBe(true);
    const doomed = keys.filter((_, index) => index % 3 !== 1);
    await Promise.all(doomed.map(({ id }) => store.destroy([id])));
    await Promise.all(owners.slice(0, 500).map((owner) => store.keyFor(`again/${owner}`)));
    await store.destroy([keys[1]!.id]);
    const files = Buffer.concat(
      await Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name)))),
    );
    const left = owners.filter((_, index) => files.includes(secrets[index]!));
    expect(left).toEqual(owners.filter((_, index) => index % 3 === 1 && index !== 1));
  });

  it('never writes what is sealed', async () => {
    const vault = new Vault(await openSqlite());
    await vault.sealFor(alice, 'content', 'the canary sings');
    expect(await filesHold(Buffer.from('canary'))).toBe(false);
  });

  it('lets nobody else read its files', async () => {
    await writeFile(join(directory, 'keys.db'), '', { mode: 0o644 });
    const store = await openSqlite();
    await store.keyFor(alice);
    const names = await readdir(directory);
    expect(names).toContain('keys.db-wal');
    for (const name of names) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
  });

  it('has a key on disk once it is handed out', async () => {
    const { id, secret } = await dieAfter('');
    const store = await openSqlite();
    expect((await store.keyFor(alice)).id).toBe(id);
    expect((await store.find(id))?.key.export().equals(secret)).toBe(true);
    await store.destroy([id]);
    expect(await filesHold(secret)).toBe(false);
  });

  it('clears the log of a destroyed key at start, where a crash came before', async () => {
    const { id, secret } = await dieAfter(`
      const reader = new (require('libsql'))(${JSON.stringify(join(directory, 'keys.db'))});
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM data_key').all();
      await store.destroy([id]).catch(() => undefined);
    `);
    expect(await filesHold(secret)).toBe(true);
    const store = await openSqlite();
    expect(await filesHold(secret)).toBe(false);
    expect(await store.find(id)).toBeUndefined();
  });

  it('does not say a key is destroyed while another process keeps it in the log', async () => {
    const store = await openSqlite();
    const { id, key } = await store.keyFor(alice);
    const reader = new Database(join(directory, 'keys.db'));
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM data_key').all();
    try {
      await expect(store.destroy([id])).rejects.toThrow(StoreUnavailable);
    } finally {
      reader.exec('COMMIT');
      reader.close();
    }
    expect(await store.find(id)).toBeUndefined();
    await store.destroy([id]);
    expect(await filesHold(key.export())).toBe(false);
  });

  it('refuses a file of a newer version', async () => {
    const db = new Database(join(directory, 'keys.db'));
    db.exec('PRAGMA user_version = 2');
    db.close();
    await expect(openSqlite()).rejects.toThrow(StoreUnusable);
    await expect(openSqlite()).rejects.toThrow(/keys\.db: made by a newer version/);
  });

  it('refuses a file that is no database, or a damaged one', async () => {
    const file = join(directory, 'keys.db');
    await writeFile(file, randomBytes(20_000));
    await expect(openSqlite()).rejects.toThrow(StoreUnusable);
    await rm(file);
    const store = await openSqlite();
    await Promise.all(Array.from({ length: 500 }, (_, index) => store.keyFor(`recipient/${index}`)));
    await store.close();
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0x5a, 8192, 12_288));
    await expect(openSqlite()).rejects.toThrow(StoreUnusable);
  });

  it('refuses a directory it cannot make', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(SqliteKeyStore.open(join(directory, 'file', 'data'))).rejects.toThrow(StoreUnusable);
  });

  it('finishes what was asked when it closes, and answers nothing after', async () => {
    const store = await openSqlite();
    const asked = store.keyFor(alice);
    await Promise.all([store.close(), store.close()]);
    const { id } = await asked;
    await expect(store.keyFor(alice)).rejects.toThrow(StoreUnavailable);
    expect((await (await openSqlite()).keyFor(alice)).id).toBe(id);
  });
});
