import type { RecordOf } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { OwnedStream } from '../checkpoint/owned-stream.js';
import type { Lease } from '../lease/lease.js';
import { identityOf, runtimeParked, type RecordParked, type RecordRef } from '../streams.js';

/** A record that was parked and then given up for good. */
export interface ArchivedRecord extends RecordParked {
  /** Milliseconds since the Unix epoch. */
  readonly archivedAt: number;
}

/** The records a consumer has given up. */
export class Parked {
  private readonly stream: OwnedStream<typeof runtimeParked>;
  private readonly records = new Map<string, RecordParked>();
  private readonly archived = new Map<string, ArchivedRecord>();

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
    const { lease } = this;
    const apply = (record: RecordOf<typeof runtimeParked>) => this.apply(record);
    if (lease === undefined) await this.stream.load(apply);
    else {
      await this.stream.takeOver(apply, () => ({ type: 'runtime.parked-taken-over.v1', data: { epoch: lease.epoch } }));
    }
  }

  get size(): number {
    return this.records.size;
  }

  list(): readonly RecordParked[] {
    return [...this.records.values()];
  }

  listArchived(): readonly ArchivedRecord[] {
    return [...this.archived.values()];
  }

  /** True for an archived record, too: handed out again after a restart, it is not to be handled. */
  has(record: Pick<RecordRef, 'stream' | 'id'>): boolean {
    return (
      this.records.size + this.archived.size > 0 &&
      (this.records.has(identityOf(record)) || this.archived.has(identityOf(record)))
    );
  }

  async park(parked: RecordParked): Promise<void> {
    this.records.set(identityOf(parked.record), parked);
    await this.stream.write({ type: 'runtime.record-parked.v1', data: parked });
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
    const parked = this.take(record, how === 'archived' ? this.now() : undefined);
    if (parked === undefined) return undefined;
    await before?.(parked);
    await this.stream.write({ type: `runtime.record-${how}.v1`, data: { recordId: id, stream } });
    return parked;
  }

  /** Takes over what was archived in another stream. Does nothing where it is archived here. */
  async keepArchived({ archivedAt: at, ...parked }: ArchivedRecord): Promise<void> {
    const { stream, id } = parked.record;
    if (!this.has(parked.record)) await this.park(parked);
    if (this.take(parked.record, at) === undefined) return;
    await this.stream.write({ type: 'runtime.record-archived.v1', data: { recordId: id, stream, at } });
  }

  private apply({ type, data, created }: RecordOf<typeof runtimeParked>): void {
    if (type === 'runtime.record-parked.v1') this.records.set(identityOf(data.record), data);
    else if (type !== 'runtime.parked-taken-over.v1') {
      const archivedAt = type === 'runtime.record-archived.v1' ? (data.at ?? created) : undefined;
      this.take({ stream: data.stream, id: data.recordId }, archivedAt);
    }
  }

  /** @param archivedAt undefined where it is redriven */
  private take(record: Pick<RecordRef, 'stream' | 'id'>, archivedAt: number | undefined): RecordParked | undefined {
    const identity = identityOf(record);
    const parked = this.records.get(identity);
    if (parked === undefined) return undefined;
    this.records.delete(identity);
    if (archivedAt !== undefined) this.archived.set(identity, { ...parked, archivedAt });
    return parked;
  }
}
