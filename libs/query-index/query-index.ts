import type { EventStore } from '#libs/store/port';
import { IndexCopy, type IndexContent } from './index-copy.js';
import { IndexFiles } from './index-files.js';
import type { IndexTables } from './tables.js';

export interface QueryIndexOptions<Entry, Query, Answer> extends IndexContent<Entry> {
  /** Where the folder `query-index` is. */
  readonly directory: string;
  readonly store: Pick<EventStore, 'head' | 'readAll'>;
  readonly tables: IndexTables<Entry, Query, Answer>;
  /** URL of the module that exports them as `tables`. */
  readonly module: string;
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
  /** Which making of it answers. */
  readonly making: number;
}

/** A making of the index beside the one that answers. */
export interface IndexRebuildStatus {
  readonly making: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly position: bigint;
  readonly records: number;
  readonly error: string | undefined;
}

/** The index has not been at the head of the store yet, so that answers would lack most of what there is. */
export class IndexCatchingUp extends Error {}

/**
 * A local SQLite index by which records are found, made from them alone. It belongs to this process, has its own position,
 * in one transaction with what it holds, and is no consumer. It can be made anew beside the file that answers.
 */
export class QueryIndex<Entry, Query, Answer> {
  private serving!: IndexCopy<Entry, Query, Answer>;
  private next: IndexCopy<Entry, Query, Answer> | undefined;
  private making = 1;
  private highest = 1;
  /** What changes files, one after the other. */
  private changing: Promise<unknown> = Promise.resolve();
  private closed = false;

  private constructor(
    private readonly options: QueryIndexOptions<Entry, Query, Answer>,
    private readonly files: IndexFiles,
  ) {}

  /**
   * Opens the file and begins to catch up. A making that was not finished is begun anew.
   * @throws IndexFailure where the file can be neither used nor made
   */
  static async open<Entry, Query, Answer>(
    options: QueryIndexOptions<Entry, Query, Answer>,
  ): Promise<QueryIndex<Entry, Query, Answer>> {
    const files = new IndexFiles(options.directory, options.tables.version);
    const index = new QueryIndex(options, files);
    const makings = await files.makings();
    // The older one is whole: it is removed only once the newer one answers.
    index.making = makings[0] ?? 1;
    index.highest = makings.at(-1) ?? 1;
    index.serving = await index.openCopy(index.making, () => void index.change(() => index.tidy()));
    if (makings.length > 1) await index.rebuild();
    return index;
  }

  /** Everything up to here is in. */
  get position(): bigint {
    return this.serving.position;
  }

  /** @throws StoreUnavailable */
  async status(): Promise<QueryIndexStatus> {
    const head = await this.options.store.head();
    const { position, failing: error, caughtUp } = this.serving;
    const behind = head > position ? head - position : 0n;
    const state = error !== undefined ? 'failing' : caughtUp ? 'live' : 'catchingUp';
    return { state, position, behind, error, making: this.making };
  }

  /** Undefined where none is made beside the one that answers. */
  rebuildStatus(): IndexRebuildStatus | undefined {
    if (this.next === undefined) return undefined;
    const { position, failing: error, making } = this.next;
    return { making: this.highest, position, error, ...making };
  }

  /** @throws IndexCatchingUp, IndexFailure */
  async query(query: Query): Promise<Answer> {
    if (!this.serving.caughtUp) throw new IndexCatchingUp('the query index is catching up');
    return this.serving.query(query);
  }

  /**
   * Makes the index anew beside the file that answers, and answers from the new one once that has caught up. Where that is
   * going on already, it goes on.
   * @throws IndexFailure where the file cannot be made
   */
  rebuild(): Promise<void> {
    return this.change(async () => {
      if (this.next !== undefined || this.closed) return;
      this.highest += 1;
      const making = this.highest;
      await this.files.removeAllBut([this.making]);
      const copy: IndexCopy<Entry, Query, Answer> = await this.openCopy(making, () => {
        void this.change(() => this.switchTo(copy, making));
      });
      this.next = copy;
    });
  }

  /** Gives up the one that is being made, if any. */
  cancel(): Promise<void> {
    return this.change(async () => {
      const given = this.next;
      this.next = undefined;
      await given?.remove();
    });
  }

  /** Finishes the entries under way, then closes the files. */
  close(): Promise<void> {
    return this.change(async () => {
      this.closed = true;
      await this.next?.close();
      await this.serving.close();
    });
  }

  private async switchTo(copy: IndexCopy<Entry, Query, Answer>, making: number): Promise<void> {
    if (this.next !== copy || this.closed) return;
    const before = this.serving;
    this.serving = copy;
    this.making = making;
    this.next = undefined;
    await before.remove();
  }

  private openCopy(making: number, onLive: () => void): Promise<IndexCopy<Entry, Query, Answer>> {
    return IndexCopy.open(this.options, { path: this.files.pathOf(making), tables: this.options.module }, onLive);
  }

  private async tidy(): Promise<void> {
    if (this.closed) return;
    await this.files.removeAllBut(this.next === undefined ? [this.making] : [this.making, this.highest]);
  }

  private change<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.changing.then(work);
    this.changing = done.catch(() => undefined);
    return done;
  }
}
