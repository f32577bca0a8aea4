import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Database from 'libsql';
import { newId, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable, StoreUnusable, type NewEvent } from '#libs/store/port';
import { notRun } from '#libs/testing';
import { openSqliteStore, type SqliteEventStore } from './sqlite-store.js';

function event(data: unknown = {}): NewEvent {
  return { id: newId(), type: 'store.tested.v1', data };
}

async function collect(records: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const collected: RecordedEvent[] = [];
  for await (const record of records) collected.push(record);
  return collected;
}

let directory: string;
let opened: SqliteEventStore[];

async function openStore(options: Partial<Parameters<typeof openSqliteStore>[0]> = {}): Promise<SqliteEventStore> {
  const store = await openSqliteStore({ directory, ...options });
  opened.push(store);
  return store;
}

beforeEach(async () => {
  opened = [];
  directory = await mkdtemp(join(tmpdir(), 'tidings-sqlite-'));
});

afterEach(async () => {
  for (const store of opened) await store.close();
  await rm(directory, { recursive: true });
});

describe('a directory', () => {
  const holderProgram = `
    import { openSqliteStore } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)};
    await openSqliteStore({ directory: process.argv[1] });
    console.log('open');`;

  test('belongs to one process, until that ends in whatever way', async () => {
    const holder = spawn(process.execPath, ['--input-type=module', '-e', holderProgram, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    const opening = openStore();
    await expect(opening).rejects.toThrow(StoreUnusable);
    await expect(opening).rejects.toThrow(`${directory} is in use by process ${holder.pid}`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await expect((await openStore()).head()).resolves.toBe(0n);
  });

  test('belongs to one store of a process', async () => {
    await openStore();
    await expect(openStore()).rejects.toThrow(`in use by process ${process.pid}`);
  });

  test('holds one database after closing', async () => {
    const store = await openStore();
    await store.append('store.tested-1', 'noStream', [event()]);
    await store.close();
    expect((await readdir(directory)).sort()).toEqual(['events.db', 'lock.db']);
  });
});

describe('files that cannot be used are left as they are', () => {
  const file = () => join(directory, 'events.db');

  async function expectUnusable(message: RegExp): Promise<void> {
    const before = await readFile(file());
    const opening = openStore();
    await expect(opening).rejects.toThrow(StoreUnusable);
    await expect(opening).rejects.toThrow(message);
    expect((await readFile(file())).equals(before)).toBe(true);
    expect((await readdir(directory)).filter((name) => name.startsWith('events'))).toEqual(['events.db']);
  }

  async function makeStore(): Promise<void> {
    const store = await openSqliteStore({ directory });
    for (let n = 0; n < 200; n += 1)
      await store.append(`store.tested-${n}`, 'noStream', [event({ text: 'x'.repeat(500) })]);
    await store.close();
  }

  test('made by a newer version', async () => {
    await makeStore();
    const database = new Database(file());
    database.exec('PRAGMA user_version = 99');
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    await expectUnusable(/events\.db was made by a newer version \(format 99, this one knows \d+\)/);
  });

  test('no database', async () => {
    await writeFile(file(), 'these are my notes, not a database; '.repeat(100));
    await expectUnusable(/events\.db is damaged or not a database.*restore it from a backup/);
  });

  test('cut short', async () => {
    await makeStore();
    await writeFile(file(), (await readFile(file())).subarray(0, 60));
    await expectUnusable(/events\.db is damaged or not a database/);
  });

  test('with damaged tables', async () => {
    await makeStore();
    const handle = await open(file(), 'r+');
    await handle.write(Buffer.alloc(3900, 0xff), 0, 3900, 100);
    await handle.close();
    await expectUnusable(/events\.db is damaged or not a database/);
  });

  test('with a damaged page: a read of it says so, and other reads go on', async () => {
    await makeStore();
    const [pageSize, tableLeaf] = [4096, 13];
    const bytes = await readFile(file());
    const leaves = Array.from({ length: bytes.length / pageSize }, (_, n) => n * pageSize).filter(
      (offset) => bytes[offset] === tableLeaf,
    );
    const handle = await open(file(), 'r+');
    await handle.write(Buffer.alloc(pageSize, 0xff), 0, pageSize, leaves[Math.floor(leaves.length / 2)]);
    await handle.close();
    const store = await openStore();
    const reading = collect(store.readAll());
    await expect(reading).rejects.toThrow(StoreUnusable);
    await expect(reading).rejects.toThrow(/events\.db is damaged/);
    expect(await collect(store.readStream('store.tested-0'))).toHaveLength(1);
    expect(await collect(store.readStream('store.tested-199'))).toHaveLength(1);
  });
});

describe('a full disk', () => {
  async function fill(store: SqliteEventStore): Promise<{ accepted: string[]; error: unknown }> {
    const accepted: string[] = [];
    for (let n = 0; ; n += 1) {
      const given = event({ n, text: 'x'.repeat(20_000) });
      try {
        await store.append('store.filled-1', n === 0 ? 'noStream' : BigInt(n - 1), [given]);
        accepted.push(given.id);
      } catch (error) {
        return { accepted, error };
      }
    }
  }

  async function expectHeld(store: SqliteEventStore, accepted: readonly string[]): Promise<void> {
    expect((await collect(store.readStream('store.filled-1'))).map(({ id }) => id)).toEqual(accepted);
  }

  async function expectRoomAgain(store: SqliteEventStore, makeRoom: () => Promise<unknown>): Promise<void> {
    const { accepted, error } = await fill(store);
    expect(error).toBeInstanceOf(StoreUnavailable);
    await expectHeld(store, accepted);
    await expect(store.append('store.filled-2', 'noStream', [event('x'.repeat(20_000))])).rejects.toThrow(
      StoreUnavailable,
    );
    await makeRoom();
    const given = event();
    const { revision } = await store.append('store.filled-1', BigInt(accepted.length - 1), [given]);
    expect(revision).toBe(BigInt(accepted.length));
    await expectHeld(store, [...accepted, given.id]);
  }

  test('as a limit of pages: the append is refused, the rest is intact, and a higher limit lets it go on', async () => {
    const store = await openStore({ maxPages: 200 });
    const { accepted, error } = await fill(store);
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect((error as Error).message).toMatch(/no space left for .*events\.db/);
    expect(accepted.length).toBeGreaterThan(10);
    await expectHeld(store, accepted);
    await store.close();

    const larger = await openStore({ maxPages: 400 });
    const given = event();
    await larger.append('store.filled-1', BigInt(accepted.length - 1), [given]);
    await expectHeld(larger, [...accepted, given.id]);
  });

  test('as a limit of pages: appends work again as soon as there is space', async () => {
    const store = await openStore({ maxPages: 300 });
    const ballast = Array.from({ length: 20 }, () => event('x'.repeat(20_000)));
    await store.append('store.ballast-1', 'noStream', ballast);
    await store.setStreamMetadata('store.ballast-1', { maxCount: 1 });
    await expectRoomAgain(store, () => store.scavenge());
  });

  const refusal = refusalToMount();
  if (refusal !== undefined) notRun('the store on a real file system that is full', refusal);
  else {
    test('on a real file system: appends work again as soon as there is space', async () => {
      const disk = mountSmallDisk();
      try {
        const ballast = join(disk, 'ballast');
        await writeFile(ballast, Buffer.alloc(1024 * 1024));
        const store = await openStore({ directory: join(disk, 'data') });
        await expectRoomAgain(store, () => rm(ballast));
        await store.close();
      } finally {
        unmount(disk);
      }
    });
  }
});

/** Mounts a file system of a few megabytes and answers where. */
function mountSmallDisk(): string {
  const point = mkdtempSync(join(tmpdir(), 'tidings-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', point], { stdio: 'pipe', encoding: 'utf8' });
    return point;
  } catch (error) {
    rmdirSync(point);
    throw error;
  }
}

function unmount(point: string): void {
  execFileSync('umount', ['--lazy', point]);
  rmdirSync(point);
}

/** Why nothing can be mounted here; undefined where it can. */
function refusalToMount(): string | undefined {
  try {
    unmount(mountSmallDisk());
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    return (stderr || message).split('\n')[0];
  }
}

describe('live subscribers', () => {
  test('get the very objects that were appended', async () => {
    const store = await openStore();
    const controller = new AbortController();
    const given = event({ nested: { list: [1, 2] } });
    for await (const batch of store.subscribeToAll({ signal: controller.signal })) {
      if (batch.events.length === 0) await store.append('store.tested-1', 'noStream', [given]);
      else {
        expect(batch.events[0]!.data).toBe(given.data);
        controller.abort();
      }
    }
  });

  test('may be as slow as they like: what has left memory comes from the disk', async () => {
    const store = await openStore({ tailEvents: 50 });
    const total = 3000;
    const ids: string[] = [];
    const received: string[] = [];
    for await (const batch of store.subscribeToAll({ filter: { categories: ['store.tested'] } })) {
      received.push(...batch.events.map(({ id }) => id));
      if (received.length >= total) break;
      if (ids.length < total) {
        const appends = Array.from({ length: 300 }, (_, n) => {
          const given = event();
          ids.push(given.id);
          return store.append(`store.tested-${ids.length}-${n}`, 'noStream', [given]);
        });
        await Promise.all(appends);
      }
    }
    expect(received).toEqual(ids);
  });
});

describe('closing', () => {
  test('finishes what was accepted, ends subscriptions, refuses what comes after', async () => {
    const store = await openStore();
    const following = (async () => {
      let last = 0n;
      for await (const batch of store.subscribeToAll()) last = batch.checkpoint;
      return last;
    })();
    await store.append('store.tested-0', 'noStream', [event()]);
    const accepted = Array.from({ length: 100 }, (_, n) => store.append(`store.tested-a${n}`, 'noStream', [event()]));
    const reading = collect(store.readStream('store.tested-0'));
    const closing = store.close();
    await expect(Promise.all(accepted)).resolves.toHaveLength(100);
    await expect(reading).resolves.toHaveLength(1);
    await expect(following).resolves.toBeGreaterThan(0n);
    await closing;
    await expect(store.append('store.tested-1', 'noStream', [event()])).rejects.toThrow(StoreUnavailable);
    await expect(collect(store.readAll())).rejects.toThrow('the store is closed');
    await expect(store.head()).rejects.toThrow(StoreUnavailable);
    await expect(store.close()).resolves.toBeUndefined();
  });
});

describe('counting', () => {
  test('appends of one turn are one commit and one message, and so are its reads', async () => {
    const store = await openStore();
    const before = store.stats();
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.append(`store.tested-${n}`, 'noStream', [event()])));
    const written = store.stats();
    expect(written.commits - before.commits).toBe(1);
    expect(written.records - before.records).toBe(20);
    expect(written.messages - before.messages).toBe(1);
    await Promise.all(Array.from({ length: 20 }, (_, n) => collect(store.readStream(`store.tested-${n}`))));
    expect(store.stats().messages - written.messages).toBe(1);
  });

  test('appends given together are one commit', async () => {
    const store = await openStore();
    const appends = Array.from({ length: 200 }, (_, n) => ({
      stream: `store.tested-${n}`,
      expected: 'noStream' as const,
      events: [event()],
    }));
    await store.appendAll(appends);
    expect(store.stats()).toMatchObject({ commits: 1, records: 200 });
  });

  test('many producers are two batches at a time', async () => {
    const store = await openStore();
    await Promise.all(Array.from({ length: 64 }, (_, n) => store.append(`store.tested-${n}`, 'noStream', [event()])));
    expect(store.stats()).toMatchObject({ commits: 2, records: 64 });
  });
});
