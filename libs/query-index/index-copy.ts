import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable, type EventStore, type SubscriptionBatch } from '#libs/store/port';
import { removeFile } from './index-file.js';
import { IndexFailure, IndexThread } from './index-thread.js';
import type { Reached, WorkerData } from './protocol.js';

const longestWait = 5_000;

/** Where the records come from. */
export interface IndexSource {
  /** Says which they are, and what else the entries rest on: what was made from another source is made anew. */
  readonly name: string;
  /** The records after the position and those that come, in order, as `EventStore.subscribeToAll` gives them. */
  subscribe(after: bigint, signal: AbortSignal): AsyncIterable<SubscriptionBatch>;
}

/** What an index is made from, whichever file it is in. */
export interface IndexContent<Entry> {
  /** Tells whether a file is of this store. */
  readonly store: Pick<EventStore, 'readAll'>;
  /** @throws StoreUnavailable */
  readonly source: () => Promise<IndexSource>;
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

type FileOptions = Omit<WorkerData, 'anew'>;

/** One file of an index, that follows the records: deleted, damaged, or from elsewhere, it is made anew. */
export class IndexCopy<Entry, Query, Answer> {
  private readonly stopping = new AbortController();
  private interrupt = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private reached: bigint;
  private error: string | undefined;
  private source: IndexSource | undefined;
  private isLive = false;
  private startedAt = Date.now();
  private put = 0;

  private constructor(
    private readonly content: IndexContent<Entry>,
    private readonly file: FileOptions,
    private readonly onLive: () => void,
    private thread: IndexThread<Entry, Query, Answer>,
    opened: Reached | undefined,
  ) {
    this.reached = BigInt(opened?.position ?? 0);
  }

  /**
   * Opens the file and begins to catch up.
   * @param onLive is called whenever it has caught up
   * @throws IndexFailure where the file can be neither used nor made
   */
  static async open<Entry, Query, Answer>(
    content: IndexContent<Entry>,
    file: FileOptions,
    onLive: () => void,
  ): Promise<IndexCopy<Entry, Query, Answer>> {
    const { thread, reached } = await openThread<Entry, Query, Answer>(content, file);
    const copy = new IndexCopy(content, file, onLive, thread, reached);
    copy.following = copy.run(reached);
    return copy;
  }

  /** Everything up to here is in. */
  get position(): bigint {
    return this.reached;
  }

  /** True once it has been at the head of the store, until it has to be made anew. */
  get caughtUp(): boolean {
    return this.isLive;
  }

  /** Why it cannot go on; undefined: it does. */
  get failing(): string | undefined {
    return this.error;
  }

  /** Since when it is made, in milliseconds since the Unix epoch, and from how many records. */
  get making(): { readonly startedAt: number; readonly records: number } {
    return { startedAt: this.startedAt, records: this.put };
  }

  /** @throws IndexFailure */
  async query(query: Query): Promise<Answer> {
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

  /** Ends it and removes its file. */
  async remove(): Promise<void> {
    await this.close();
    await this.thread.end();
    removeFile(this.file.path);
  }

  private async run(opened: Reached | undefined): Promise<void> {
    const { signal } = this.stopping;
    for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestWait)) {
      try {
        if (this.source === undefined) await this.begin(opened);
        if (this.interrupt.signal.aborted) await this.empty();
        await this.follow(this.source!, () => (wait = 100));
      } catch (error) {
        if (signal.aborted || (error instanceof StoreUnavailable && error.final)) return;
        if (isDamage(error)) this.makeAnew(error.message);
        const message = messageOf(error);
        // It is tried again and again: what is known is told once.
        if (message !== this.error) this.content.log.failed(error);
        this.error = message;
      }
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  private async begin(opened: Reached | undefined): Promise<void> {
    const source = await this.content.source();
    if (opened !== undefined && opened.source !== source.name) this.makeAnew(`it was made from ${opened.source}`);
    else if (opened !== undefined && !(await this.isOfThisStore(opened))) {
      this.makeAnew('it was made from another store, or from what was in this one before');
    }
    this.source = source;
  }

  private async follow(source: IndexSource, onProgress: () => void): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, this.interrupt.signal]);
    let taken = Promise.resolve();
    for await (const batch of source.subscribe(this.reached, signal)) {
      const entries = await this.content.entriesOf(batch.events);
      await taken;
      if (this.interrupt.signal.aborted) return;
      taken = this.take(entries, batch, source);
      // A backlog is read and prepared while the thread is at work; what fails is thrown by the next to wait for it.
      if (batch.live) await taken;
      else taken.catch(() => undefined);
      onProgress();
    }
    await taken;
  }

  private async take(
    entries: readonly Entry[],
    { events, checkpoint, live }: SubscriptionBatch,
    { name }: IndexSource,
  ): Promise<void> {
    const last = events.at(-1);
    if (last !== undefined) {
      await this.thread.apply(entries, { source: name, position: Number(last.position), id: last.id });
    }
    this.reached = checkpoint;
    this.put += events.length;
    this.error = undefined;
    if (!live || this.isLive) return;
    this.isLive = true;
    this.onLive();
  }

  /** False where a backup was put in the place of the store: then the file has what the store has not. */
  private async isOfThisStore({ position, id }: Reached): Promise<boolean> {
    for await (const record of this.content.store.readAll({ from: BigInt(position), limit: 1 })) {
      return record.position === BigInt(position) && record.id === id;
    }
    return false;
  }

  /** Stops following; the file is emptied before it goes on. */
  private makeAnew(reason: string): void {
    if (this.interrupt.signal.aborted) return;
    this.content.log.rebuilding(reason);
    this.isLive = false;
    this.interrupt.abort();
  }

  private async empty(): Promise<void> {
    await this.thread.end();
    this.reached = 0n;
    this.put = 0;
    this.startedAt = Date.now();
    this.thread = (await IndexThread.open<Entry, Query, Answer>({ ...this.file, anew: true })).thread;
    this.source = await this.content.source();
    this.interrupt = new AbortController();
  }
}

/** With the file as it is, or a new one where that cannot be used. */
async function openThread<Entry, Query, Answer>({ log }: IndexContent<Entry>, file: FileOptions) {
  try {
    return await IndexThread.open<Entry, Query, Answer>({ ...file, anew: false });
  } catch (error) {
    if (!isDamage(error)) throw error;
    log.rebuilding(error.message);
    return IndexThread.open<Entry, Query, Answer>({ ...file, anew: true });
  }
}

function isDamage(error: unknown): error is IndexFailure {
  return error instanceof IndexFailure && error.damaged;
}
