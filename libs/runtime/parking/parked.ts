import { newId, type RecordOf } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { OwnedStream } from '../checkpoint/owned-stream.js';
import type { Lease } from '../lease/lease.js';
import { runtimeParked, type RecordParked, type RecordRef } from '../streams.js';
import { ParkedBook, type ArchivedRecord } from './parked-book.js';

/** The records a consumer has given up. */
export class Parked {
  private readonly stream: OwnedStream<typeof runtimeParked>;
  private readonly book = new ParkedBook();

  constructor(
    store: EventStore,
    key: string,
    signal: AbortSignal,
    private readonly now: () => number,
    private readonly lease?: Lease,
  ) {
    this.stream = new OwnedStream(store, runtimeParked, key, signal, lease);
  }

  async load(): Promise<void> {
    const { lease, book } = this;
    const apply = (record: RecordOf<typeof runtimeParked>) => book.apply(record);
    if (lease === undefined) await this.stream.load(apply);
    else {
      await this.stream.takeOver(apply, () => ({ type: 'runtime.parked-taken-over.v1', data: { epoch: lease.epoch } }));
    }
  }

  get size(): number {
    return this.book.size;
  }

  list(): readonly RecordParked[] {
    return this.book.list();
  }

  listArchived(): readonly ArchivedRecord[] {
    return this.book.listArchived();
  }

  /** True for an archived record, too: handed out again after a restart, it is not to be handled. */
  has(record: Pick<RecordRef, 'stream' | 'id'>): boolean {
    return this.book.isParked(record) || this.book.isArchived(record);
  }

  /** The record that was parked by that event, and still is. */
  parkedBy(parking: string): RecordRef | undefined {
    return this.book.parkedBy(parking)?.record;
  }

  /** Id of the event by which it was parked; undefined where it is not parked. */
  parkingOf(record: Pick<RecordRef, 'stream' | 'id'>): string | undefined {
    return this.book.parkingOf(record);
  }

  /** @param id of the event: that by which another stream says it, where it is taken over from there */
  async park(parked: RecordParked, id = newId()): Promise<void> {
    this.book.park(id, parked);
    await this.stream.write({ type: 'runtime.record-parked.v1', data: parked }, id);
  }

  /**
   * Takes the record out of the parked ones; answers it, or nothing when it is not parked.
   * @param before what has to be durable before the release is
   */
  async release(
    record: Pick<RecordRef, 'stream' | 'id'>,
    how: 'redriven' | 'archived',
    before?: (parked: RecordParked) => Promise<void>,
  ): Promise<RecordParked | undefined> {
    const { stream, id } = record;
    const parked = this.book.take(record, how === 'archived' ? this.now() : undefined);
    if (parked === undefined) return undefined;
    await before?.(parked);
    await this.stream.write({ type: `runtime.record-${how}.v1`, data: { recordId: id, stream } });
    return parked;
  }

  /** Takes over what was archived in another stream. Does nothing where it is archived here. */
  async keepArchived({ archivedAt: at, ...parked }: ArchivedRecord): Promise<void> {
    const { stream, id } = parked.record;
    if (!this.has(parked.record)) await this.park(parked);
    if (this.book.take(parked.record, at) === undefined) return;
    await this.stream.write({ type: 'runtime.record-archived.v1', data: { recordId: id, stream, at } });
  }
}
