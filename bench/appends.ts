import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { newId } from '#libs/kernel';
import type { NewEvent } from '#libs/store/port';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';
import { inDirectory } from './directory.js';
import { quantile } from './report.js';

const rounds = 5;
const secondsEach = 1.5;
const readEvents = 50_000;

/** Medians of interleaved runs, per second. */
export interface AppendsResult {
  readonly producers: number;
  /** Events in one commit on average: what the bare loop was told to do too. */
  readonly eventsPerCommit: number;
  readonly store: number;
  readonly bare: number;
  /** store / bare */
  readonly ratio: number;
}

function eventFor(key: string, n: number): NewEvent {
  return {
    id: newId(),
    type: 'notification.requested.v1',
    data: {
      n,
      recipient: key,
      category: 'orders',
      text: 'Your order is on its way and should be there tomorrow.',
      channels: ['email', 'inbox'],
    },
    metadata: { $correlationId: key, $causationId: key },
  };
}

/** Each producer appends one event to a new stream at a time, and waits for it. */
async function runStore(directory: string, producers: number): Promise<{ rate: number; eventsPerCommit: number }> {
  const store = await openSqliteStore({ directory });
  const end = performance.now() + secondsEach * 1000;
  let appended = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: producers }, async () => {
      while (performance.now() < end) {
        const key = newId();
        await store.append(`notification.event-${key}`, 'noStream', [eventFor(key, appended)]);
        appended += 1;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const { commits, records } = store.stats();
  await store.close();
  return { rate: appended / seconds, eventsPerCommit: Math.max(1, Math.round(records / commits)) };
}

/** The same rows with the same durability and grouping, and nothing else: no thread, no checks, no subscribers. */
function runBare(directory: string, eventsPerCommit: number): number {
  const database = new Database(join(directory, 'bare.db'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;');
  database.exec('PRAGMA wal_autocheckpoint = 1000');
  database.exec(`CREATE TABLE events (position INTEGER PRIMARY KEY, category INTEGER NOT NULL, key TEXT NOT NULL,
      revision INTEGER NOT NULL, event_id TEXT NOT NULL, type INTEGER NOT NULL, created INTEGER NOT NULL, data TEXT NOT NULL,
      causation TEXT, metadata TEXT);
    CREATE UNIQUE INDEX events_by_stream ON events (key, category, revision);
    CREATE INDEX events_by_category ON events (category, position);`);
  const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const started = performance.now();
  let position = 0;
  while (performance.now() - started < secondsEach * 1000) {
    database.exec('BEGIN IMMEDIATE');
    for (let index = 0; index < eventsPerCommit; index += 1) {
      const key = newId();
      const event = eventFor(key, position);
      position += 1;
      insert.run([position, 1, key, 0, event.id, 1, Date.now(), JSON.stringify(event.data), key, null]);
    }
    database.exec('COMMIT');
  }
  const rate = position / ((performance.now() - started) / 1000);
  database.close();
  return rate;
}

async function compare(producers: number): Promise<AppendsResult> {
  const stores: number[] = [];
  const bares: number[] = [];
  const groups: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await inDirectory(async (directory) => {
      const { rate, eventsPerCommit } = await runStore(directory, producers);
      stores.push(rate);
      groups.push(eventsPerCommit);
    });
    await inDirectory(async (directory) => bares.push(runBare(directory, groups.at(-1)!)));
  }
  const store = quantile(stores, 0.5);
  const bare = quantile(bares, 0.5);
  return { producers, eventsPerCommit: quantile(groups, 0.5), store, bare, ratio: store / bare };
}

export interface ReadsResult {
  /** Events a second through `readAll`. */
  readonly scan: number;
  /** Streams of one event read a second, one after the other and 64 at a time. */
  readonly single: number;
  readonly concurrent: number;
}

async function rateOf(work: () => Promise<number>): Promise<number> {
  const started = performance.now();
  const done = await work();
  return done / ((performance.now() - started) / 1000);
}

async function readOne(store: SqliteEventStore, stream: string): Promise<void> {
  for await (const event of store.readStream(stream)) if (event.stream !== stream) throw new Error(event.stream);
}

async function reads(): Promise<ReadsResult> {
  return inDirectory(async (directory) => {
    const store = await openSqliteStore({ directory });
    const keys = Array.from({ length: readEvents }, () => newId());
    const streams = keys.map((key) => `notification.event-${key}`);
    await store.appendAll(
      keys.map((key, n) => ({ stream: streams[n]!, expected: 'noStream', events: [eventFor(key, n)] })),
    );
    const scan = await rateOf(async () => {
      let read = 0;
      for await (const event of store.readAll({ filter: { categories: ['notification.event'] } }))
        read += event.stream === '' ? 0 : 1;
      return read;
    });
    const single = await rateOf(async () => {
      for (const stream of streams.slice(0, 5000)) await readOne(store, stream);
      return 5000;
    });
    const concurrent = await rateOf(async () => {
      const left = streams.values();
      await Promise.all(
        Array.from({ length: 64 }, async () => {
          for (const stream of left) await readOne(store, stream);
        }),
      );
      return streams.length;
    });
    await store.close();
    return { scan, single, concurrent };
  });
}

/** Measures appends at full durability beside a bare SQLite loop, and reads; prints a table. */
export async function runAppendsBench(): Promise<{ appends: readonly AppendsResult[]; reads: ReadsResult }> {
  const appends = [await compare(1), await compare(64)];
  console.log('\nAppends/s, each durable (WAL, synchronous=FULL); medians of', rounds, 'interleaved runs');
  console.table(
    appends.map(({ producers, eventsPerCommit, store, bare, ratio }) => ({
      producers,
      'events/commit': eventsPerCommit,
      'store/s': Math.round(store),
      'bare libsql loop/s': Math.round(bare),
      ratio: ratio.toFixed(2),
    })),
  );
  const result = await reads();
  console.log('Reads/s');
  console.table({
    'all events, pages': Math.round(result.scan),
    'short streams, one at a time': Math.round(result.single),
    'short streams, 64 at a time': Math.round(result.concurrent),
  });
  return { appends, reads: result };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await runAppendsBench();
