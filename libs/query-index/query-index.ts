import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable, type EventStore, type SubscriptionBatch } from '#libs/store/port';
import { IndexFailure, IndexThread } from './index-thread.js';
import type { Reached } from './protocol.js';
import type { IndexTables } from './tables.js';

const folder = 'query-index';
const longestWait = 5_000;

export interface QueryIndexOptions<Entry, Query, Answer> {
  /** Where the folder `query-index` is, with one file `<version>.db`. */
  readonly directory: string;
  readonly store: EventStore;
  readonly tables: IndexTables<Entry, Query, Answer>;
  /** URL of the module that exports them as `tables`. */
  readonly module: string;
  /** What else the content rests on, such as the id of a key: with another one the index is made anew. */
  readonly basis: string;
  /** Categories whose records it is made from. */
  readonly categories: readonly string[];
  /** What the records come to, in their order. Pure but for opening what is sealed; throws what will pass, such as an outage. */
  readonly entriesOf: (records: readonly RecordedEvent[]) => Promise<readonly Entry[]>;
  readonly log: IndexLog;
}

/** What happens to an index, for logs. */
export interface IndexLog {
  /** It is made anew. */
  rebuilding(reason: string): void;
  /** It tries again; until then it stands still. */
  failed(error: unknown): void;
}

export interface QueryIndexStatus {
  /** `catchingUp` until it has been at the head of the store once; `failing` while it cannot go on. */
  readonly state: 'catchingUp' | 'live' | 'failing';
  /** Everything up to here is in. */
  readonly position: bigint;
  /** Positions between it and the head of the store; 0 where it is up to date. */
  readonly behind: bigint;
  /** Why it is failing. */
  readonly error: string | undefined;
}

/** The index has not been at the head of the store yet, so that answers would lack most of what there is. */
export class IndexCatchingUp extends Error {}

/**
 * A local SQLite file by which records are found, made from them alone: deleted, damaged, or of another version, it is
 * made anew. It belongs to this process, has its own position in the file, in one transaction with what it holds, and is
 * no consumer.
 */
export class QueryIndex<Entry, Query, Answer> {
  private readonly stopping = new AbortController();
  private interrupt = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private reached: bigint;
  private caughtUp = false;
  private error: string | undefined;

  private constructor(
    private readonly options: QueryIndexOptions<Entry, Query, Answer>,
    private thread: IndexThread<Entry, Query, Answer>,
    opened: Reached | undefined,
  ) {
    this.reached = BigInt(opened?.position ?? 0);
  }

  /** Opens the file and begins to catch up. @throws IndexFailure where the file can be neither used nor made */
  static async open<Entry, Query, Answer>(
    options: QueryIndexOptions<Entry, Query, Answer>,
  ): Promise<QueryIndex<Entry, Query, Answer>> {
    const { thread, reached } = await openThread(options);
    const index = new QueryIndex(options, thread, reached);
    index.following = index.run(reached);
    return index;
  }

  /** Everything up to here is in. */
  get position(): bigint {
    return this.reached;
  }

  /** @throws StoreUnavailable */
  async status(): Promise<QueryIndexStatus> {
    const head = await this.options.store.head();
    const behind = head > this.reached ? head - this.reached : 0n;
    const state = this.error !== undefined ? 'failing' : this.caughtUp ? 'live' : 'catchingUp';
    return { state, position: this.reached, behind, error: this.error };
  }

  /** @throws IndexCatchingUp, IndexFailure */
  async query(query: Query): Promise<Answer> {
    if (!this.caughtUp) throw new IndexCatchingUp('the query index is catching up');
    try {
      return await this.thread.query(query);
    } catch (error) {
      if (isDamage(error)) this.makeAnew(error.message);
      throw error;
    }
  }

  /** Finishes the entries under way, then closes the file. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.following;
    await this.thread.close();
  }

  private async run(opened: Reached | undefined): Promise<void> {
    const { signal } = this.stopping;
    let started = false;
    for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestWait)) {
      try {
        if (!started && opened !== undefined && !(await this.isOfThisStore(opened))) {
          this.makeAnew('it was made from another store, or from what was in this one before');
        }
        started = true;
        if (this.interrupt.signal.aborted) await this.empty();
        await this.follow(() => (wait = 100));
      } catch (error) {
        if (signal.aborted || (error instanceof StoreUnavailable && error.final)) return;
        if (isDamage(error)) this.makeAnew(error.message);
        this.error = messageOf(error);
        this.options.log.failed(error);
      }
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  private async follow(onProgress: () => void): Promise<void> {
    const { store, categories, entriesOf } = this.options;
    const signal = AbortSignal.any([this.stopping.signal, this.interrupt.signal]);
    let taken = Promise.resolve();
    for await (const batch of store.subscribeToAll({ after: this.reached, filter: { categories }, signal })) {
      const entries = await entriesOf(batch.events);
      await taken;
      if (this.interrupt.signal.aborted) return;
      taken = this.take(entries, batch);
      // A backlog is read and prepared while the thread is at work; what fails is thrown by the next to wait for it.
      if (batch.live) await taken;
      else taken.catch(() => undefined);
      onProgress();
    }
    await taken;
  }

  private async take(entries: readonly Entry[], { events, checkpoint, live }: SubscriptionBatch): Promise<void> {
    const last = events.at(-1);
    if (last !== undefined) await this.thread.apply(entries, { position: Number(last.position), id: last.id });
    this.reached = checkpoint;
    this.error = undefined;
    if (!live || this.caughtUp) return;
    this.caughtUp = true;
    await this.removeOtherVersions();
  }

  /** False where a backup was put in the place of the store: then the file has what the store has not. */
  private async isOfThisStore({ position, id }: Reached): Promise<boolean> {
    for await (const record of this.options.store.readAll({ from: BigInt(position), limit: 1 })) {
      return record.position === BigInt(position) && record.id === id;
    }
    return false;
  }

  /** Stops following; the file is emptied before it goes on. */
  private makeAnew(reason: string): void {
    if (this.interrupt.signal.aborted) return;
    this.options.log.rebuilding(reason);
    this.caughtUp = false;
    this.interrupt.abort();
  }

  private async empty(): Promise<void> {
    await this.thread.end();
    this.reached = 0n;
    this.thread = (await IndexThread.open<Entry, Query, Answer>({ ...workerDataOf(this.options), anew: true })).thread;
    this.interrupt = new AbortController();
  }

  /** They hold what an erasure would not reach. */
  private async removeOtherVersions(): Promise<void> {
    const { directory, tables } = this.options;
    for (const name of await readdir(join(directory, folder))) {
      if (!name.startsWith(`${tables.version}.db`)) await rm(join(directory, folder, name), { force: true });
    }
  }
}

function workerDataOf({
  directory,
  tables,
  module,
  basis,
}: Pick<QueryIndexOptions<unknown, unknown, unknown>, 'directory' | 'module' | 'basis'> & {
  readonly tables: { readonly version: number };
}) {
  return { path: join(directory, folder, `${tables.version}.db`), tables: module, basis };
}

/** With the file as it is, or a new one where that cannot be used. */
async function openThread<Entry, Query, Answer>(options: QueryIndexOptions<Entry, Query, Answer>) {
  const workerData = workerDataOf(options);
  try {
    return await IndexThread.open<Entry, Query, Answer>({ ...workerData, anew: false });
  } catch (error) {
    if (!isDamage(error)) throw error;
    options.log.rebuilding(error.message);
    return IndexThread.open<Entry, Query, Answer>({ ...workerData, anew: true });
  }
}

function isDamage(error: unknown): error is IndexFailure {
  return error instanceof IndexFailure && error.damaged;
}
