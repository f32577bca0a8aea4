import type { EventStore } from '#libs/store/port';
import { OwnedStream } from '../checkpoint/owned-stream.js';
import { identityOf, runtimeParked, type RecordParked, type RecordRef } from '../streams.js';

/** The records a consumer has given up. */
export class Parked {
  private readonly stream: OwnedStream<typeof runtimeParked>;
  private readonly records = new Map<string, RecordParked>();

  constructor(store: EventStore, consumer: string, signal: AbortSignal) {
    this.stream = new OwnedStream(store, runtimeParked, consumer, signal);
  }

  async load(): Promise<void> {
    for await (const { type, data } of this.stream.load()) {
      if (type === 'runtime.record-parked.v1') this.records.set(identityOf(data.record), data);
      else this.records.delete(identityOf({ stream: data.stream, id: data.recordId }));
    }
  }

  get size(): number {
    return this.records.size;
  }

  list(): readonly RecordParked[] {
    return [...this.records.values()];
  }

  has(record: Pick<RecordRef, 'stream' | 'id'>): boolean {
    return this.records.has(identityOf(record));
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
    const parked = this.records.get(identityOf(record));
    if (parked === undefined) return undefined;
    this.records.delete(identityOf(record));
    await before?.(parked);
    await this.stream.write({ type: `runtime.record-${how}.v1`, data: { recordId: id, stream } });
    return parked;
  }
}
