import { Counter, Gauge, type Registry } from 'prom-client';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import type { SqliteStoreStats } from '#libs/store/sqlite';

const counters: readonly (readonly [name: string, help: string, count: (stats: SqliteStoreStats) => number])[] = [
  ['tidings_store_commits_total', 'Transactions that wrote records', ({ commits }) => commits],
  ['tidings_store_records_total', 'Records written', ({ records }) => records],
  [
    'tidings_store_written_bytes_total',
    'JSON written; a character that is not ASCII counts as one',
    ({ bytes }) => bytes,
  ],
];

/** What the store has written, looked up when it is asked for. */
export function collectStore(
  registry: Registry,
  store: Pick<EventStore, 'head'>,
  stats: (() => SqliteStoreStats) | undefined,
): void {
  const registers = [registry];
  for (const [name, help, count] of stats === undefined ? [] : counters) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(count(stats!()));
      },
    });
  }
  new Gauge({
    name: 'tidings_store_head_position',
    help: 'Position of the last record',
    registers,
    async collect() {
      const head = await headWhenThere(store);
      if (head !== undefined) this.set(Number(head));
    },
  });
}

/** Undefined while the store is away: everything else is measured all the same. */
export async function headWhenThere(store: Pick<EventStore, 'head'>): Promise<bigint | undefined> {
  try {
    return await store.head();
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}
