import { Subject, type Subscription } from 'rxjs';
import { InvalidRecord, parse, streamName, type RecordedEvent, type RecordOf } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { partitionsOf } from '../consumer/partitions.js';
import { bookkeepingKey, type Split } from '../consumer/split.js';
import { LiveFeed } from '../live/live-feed.js';
import { identityOf, runtimeParked, type RecordParked, type RecordRef } from '../streams.js';
import type { AnyHandler } from '../topology/handler.js';
import { ParkedBook, type ArchivedRecord } from './parked-book.js';

/** Parked records, and archived ones, that are kept as a whole: some 50 MB each. Of the others some 200 bytes. */
const defaultMost = 50_000;

/** A parked stream, and how far it was read. */
interface Followed {
  readonly consumer: string;
  revision: bigint;
}

/** Where a record was parked that is not kept. */
interface Place {
  readonly stream: string;
  readonly revision: bigint;
}

export interface ParkedIndexOptions {
  readonly store: EventStore;
  readonly handlers: readonly AnyHandler[];
  /** How flows are split. */
  readonly split: Split;
  /** How many parked records it keeps, and how many archived ones. */
  readonly most?: number;
}

/**
 * What all consumers of an installation have parked, whichever process has them: read once from their parked streams, then
 * followed. Of more than it keeps, the first ones are listed; the others are counted, and listed once there is room.
 */
export class ParkedIndex {
  private readonly streams = new Map<string, Followed>();
  private readonly books = new Map<string, ParkedBook>();
  /** Parked records that are not kept, by consumer and their identity. */
  private readonly left = new Map<string, Map<string, Place>>();
  private readonly releases = new Subject<string>();
  private readonly feed: LiveFeed;
  private readonly most: number;
  private parked = 0;
  private archived = 0;
  /** What came while the streams were read. */
  private early: RecordedEvent[] | undefined = [];
  private readonly following: Subscription;
  private refilling: Promise<void> | undefined;
  private isClosed = false;

  private constructor(private readonly options: ParkedIndexOptions) {
    this.feed = new LiveFeed(options.store, [runtimeParked]);
    this.most = options.most ?? defaultMost;
    this.following = this.feed.records.subscribe((record) => {
      if (this.early === undefined) this.see(record);
      else this.early.push(record);
    });
  }

  /** @throws StoreUnavailable */
  static async open(options: ParkedIndexOptions): Promise<ParkedIndex> {
    const index = new ParkedIndex(options);
    try {
      await index.load();
      return index;
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.following.unsubscribe();
    await this.feed.stop();
    await this.refilling;
  }

  list(consumer: string): readonly RecordParked[] {
    return this.books.get(consumer)?.list() ?? [];
  }

  listArchived(consumer: string): readonly ArchivedRecord[] {
    return this.books.get(consumer)?.listArchived() ?? [];
  }

  /** How many records the consumer has parked, also of those that are not kept. */
  countOf(consumer: string): number {
    return (this.books.get(consumer)?.size ?? 0) + (this.left.get(consumer)?.size ?? 0);
  }

  /** How many parked records are not listed. */
  get omitted(): number {
    return [...this.left.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Id of the event by which the consumer has parked it; undefined where it is not parked. */
  parkingOf(consumer: string, record: Pick<RecordRef, 'stream' | 'id'>): string | undefined {
    return this.books.get(consumer)?.parkingOf(record);
  }

  /**
   * Resolves with what of these is still parked: none, or what is left when the time is over.
   * @param within milliseconds
   */
  async released(consumer: string, parkings: readonly string[], within: number): Promise<ReadonlySet<string>> {
    const left = new Set(parkings.filter((id) => this.books.get(consumer)?.parkedBy(id) !== undefined));
    if (left.size === 0) return left;
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        watching.unsubscribe();
        resolve(left);
      };
      const timer = setTimeout(end, within);
      const watching = this.releases.subscribe((id) => {
        if (left.delete(id) && left.size === 0) end();
      });
    });
  }

  private async load(): Promise<void> {
    const { store, handlers, split } = this.options;
    await this.feed.start();
    if (this.feed.position < 0n) throw new StoreUnavailable('the store is away');
    for (const handler of handlers) {
      const count = partitionsOf(handler, split.count);
      this.books.set(handler.name, new ParkedBook());
      this.left.set(handler.name, new Map());
      const names = Array.from({ length: count }, (_, partition) =>
        streamName(runtimeParked, bookkeepingKey(handler, partition, split)),
      );
      for (const name of names) this.streams.set(name, { consumer: handler.name, revision: -1n });
      await Promise.all(
        names.map(async (name) => {
          for await (const record of store.readStream(name)) this.see(record);
        }),
      );
    }
    for (const record of this.early ?? []) this.see(record);
    this.early = undefined;
    this.refill();
  }

  /** Records of a stream come in order, and some of them twice. */
  private see(record: RecordedEvent): void {
    const followed = this.streams.get(record.stream);
    // What was kept while flows were split differently has been taken over by the partitions that there are now.
    if (followed === undefined || record.revision <= followed.revision) return;
    followed.revision = record.revision;
    try {
      this.apply(followed.consumer, parse(runtimeParked, record));
    } catch (error) {
      // What no process of ours has written tells nothing.
      if (!(error instanceof InvalidRecord)) throw error;
    }
  }

  private apply(consumer: string, record: RecordOf<typeof runtimeParked>): void {
    const book = this.books.get(consumer)!;
    const left = this.left.get(consumer)!;
    const { type, data, stream, revision } = record;
    if (type === 'runtime.parked-taken-over.v1') return;
    if (type === 'runtime.record-parked.v1') {
      if (this.parked < this.most || book.isParked(data.record)) this.counted(book, () => book.apply(record));
      else left.set(identityOf(data.record), { stream, revision });
      return;
    }
    const released = { stream: data.stream, id: data.recordId };
    left.delete(identityOf(released));
    const parking = book.parkingOf(released);
    if (parking === undefined) return;
    this.counted(book, () => book.apply(record));
    this.releases.next(parking);
    this.refill();
  }

  private counted(book: ParkedBook, change: () => void): void {
    const [parked, archived] = [book.size, book.archivedSize];
    change();
    this.parked += book.size - parked;
    this.archived += book.archivedSize - archived;
    if (this.archived <= this.most || book.archivedSize === 0) return;
    book.forgetArchived();
    this.archived -= 1;
  }

  /** Keeps more of what was left out, once there is much room. */
  private refill(): void {
    if (this.parked >= this.most / 2 || this.omitted === 0 || this.early !== undefined) return;
    this.refilling ??= this.readLeft()
      // The store is away: the next release tries again.
      .catch(() => undefined)
      .finally(() => (this.refilling = undefined));
  }

  private async readLeft(): Promise<void> {
    for (const [consumer, left] of this.left) {
      const book = this.books.get(consumer)!;
      for (const [identity, place] of left) {
        if (this.parked >= this.most || this.isClosed) return;
        const { stream, revision: from } = place;
        for await (const record of this.options.store.readStream(stream, { from, limit: 1 })) {
          // Released meanwhile, or parked anew.
          if (left.get(identity) !== place) continue;
          left.delete(identity);
          this.counted(book, () => book.apply(parse(runtimeParked, record)));
        }
      }
    }
  }
}
