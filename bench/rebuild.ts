import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { viewProjector } from '#libs/notification';
import { rebuildableView, ViewRebuilds, ViewVersions } from '#libs/runtime';
import { openSqliteStore } from '#libs/store/sqlite';
import { topology } from '#streams.config';
import { fillHistory } from './history.js';
import { table } from './report.js';

const pageSize = 1_000;
const rounds = 3;

interface Measured {
  readonly records: number;
  readonly seconds: number;
}

/** The same records read from the same file, parsed, and put into a table by their flow: no checks, no fold, no streams. */
function runBare(directory: string, categories: readonly string[]): Measured {
  const events = new Database(join(directory, 'events.db'), { readonly: true });
  const views = new Database(join(directory, 'bare.db'));
  views.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  views.exec('DROP TABLE IF EXISTS view; CREATE TABLE view (key TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID');
  const ids = categories.map(
    (name) => (events.prepare('SELECT id FROM categories WHERE name = ?').get(name) as { id: number }).id,
  );
  const read = events
    .prepare(
      `SELECT position, key, data, metadata FROM events WHERE position > ? AND +category IN (${ids.join(',')})
       ORDER BY position LIMIT ${pageSize}`,
    )
    .raw();
  const put = views.prepare('INSERT INTO view VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data');
  const started = performance.now();
  let records = 0;
  for (let after = 0; ;) {
    const rows = read.all([after]) as [number, string, string, string | null][];
    if (rows.length === 0) break;
    views.exec('BEGIN');
    for (const [position, key, data, metadata] of rows) {
      const flow =
        metadata === null ? key : ((JSON.parse(metadata) as Record<string, string>)['$correlationId'] ?? key);
      put.run([flow, JSON.stringify({ ...(JSON.parse(data) as object), position: String(position) })]);
    }
    views.exec('COMMIT');
    records += rows.length;
    after = rows.at(-1)![0];
  }
  const seconds = (performance.now() - started) / 1000;
  events.close();
  views.close();
  return { records, seconds };
}

/** The view of notifications built anew, until the new version serves. */
async function runRebuild(directory: string): Promise<Measured> {
  const store = await openSqliteStore({ directory });
  const view = viewProjector.rebuild!.view;
  const versions = new ViewVersions(store, [view]);
  await versions.start();
  const log = {
    started: () => undefined,
    switched: () => undefined,
    failed: (_: string, error: unknown) => fail(error),
  };
  const rebuilds = new ViewRebuilds({
    store,
    versions,
    handlers: topology.handlers,
    runsHere: () => true,
    reached: () => Promise.resolve(0n),
    isShared: false,
    log,
    grace: 3_600_000,
  });
  const started = performance.now();
  const { rebuild } = await rebuildableView(store, versions, view).rebuild();
  while (versions.versionOf(view) !== rebuild!.version) await new Promise((resolve) => setTimeout(resolve, 5));
  const seconds = (performance.now() - started) / 1000;
  let records = 0;
  const filter = { categories: viewProjector.reads.map(({ category }) => category) };
  for await (const _ of store.readAll({ filter })) records += 1;
  await rebuilds.stop();
  await versions.stop();
  await store.close();
  return { records, seconds };
}

function fail(error: unknown): void {
  throw error;
}

/**
 * Building the view of notifications anew, beside a bare read and upsert of the same records: `npm run bench -- rebuild`,
 * with 50,000 notifications unless NOTIFICATIONS says otherwise. Interleaved runs, medians.
 */
export async function runRebuildBench(total = Number(process.env['NOTIFICATIONS'] ?? 50_000)): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidings-bench-'));
  try {
    await fillHistory(directory, total);
    const categories = viewProjector.reads.map(({ category }) => category).filter((name) => name !== 'slack.event');
    const rates: { bare: number; tidings: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [bare, tidings] = [runBare(directory, categories), await runRebuild(directory)];
      rates.push({ bare: bare.records / bare.seconds, tidings: tidings.records / tidings.seconds });
    }
    const median = (pick: (one: (typeof rates)[number]) => number): number =>
      rates.map(pick).sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
    const [bare, tidings] = [median((one) => one.bare), median((one) => one.tidings)];
    process.stdout.write(`\nThe view of ${total} notifications built anew, records a second\n`);
    const rows = [
      ['bare read and upsert', bare, 1],
      ['tidings', tidings, tidings / bare],
    ];
    process.stdout.write(`${table(['', 'a second', 'of the bare loop'], rows)}\n`);
  } finally {
    await rm(directory, { recursive: true });
  }
}
