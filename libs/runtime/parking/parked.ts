import type { EventStore } from '#libs/store/port';
import { OwnedStream } from '../checkpoint/owned-stream.js';
import { runtimeParked, type RecordParked } from '../streams.js';

/** The records a consumer has given up. */
export class Parked {
  private readonly stream: OwnedStream<typeof runtimeParked>;
  private readonly records = new Map<string, RecordParked>();

  constructor(store: EventStore, consumer: string) {
    this.stream = new OwnedStream(store, runtimeParked, consumer);
  }

  async load(): Promise<void> {
    for await (const { type, data } of this.stream.load()) {
      if (type === 'runtime.record-parked.v1') this.records.set(data.record.id, data);
      else this.records.delete(data.recordId);
    }
  }

  list(): readonly RecordParked[] {
    return [...this.records.values()];
  }

  get(recordId: string): RecordParked | undefined {
    return this.records.get(recordId);
  }

  async park(parked: RecordParked): Promise<void> {
    if (this.records.has(parked.record.id)) return;
    await this.stream.write({ type: 'runtime.record-parked.v1', data: parked });
    this.records.set(parked.record.id, parked);
  }

  /** Takes the record out of the parked ones; answers it, or nothing when it is not parked. */
  async release(recordId: string, how: 'redriven' | 'archived'): Promise<RecordParked | undefined> {
    const parked = this.records.get(recordId);
    if (parked === undefined) return undefined;
    this.records.delete(recordId);
    await this.stream.write({ type: `runtime.record-${how}.v1`, data: { recordId } });
    return parked;
  }
}
