import type { RecordOf } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import type { Lease } from '../lease/lease.js';
import { runtimeCheckpoints } from '../streams.js';
import { OwnedStream } from './owned-stream.js';

const keptCheckpoints = 5;

/** How far a consumer is, in its checkpoint stream. */
export class Checkpoints {
  private readonly stream: OwnedStream<typeof runtimeCheckpoints>;
  private last: bigint | undefined;

  constructor(
    private readonly store: EventStore,
    key: string,
    signal: AbortSignal,
    lease?: Lease,
  ) {
    this.stream = new OwnedStream(store, runtimeCheckpoints, key, signal, lease);
  }

  /** The last checkpoint, if there is one. */
  async load(): Promise<bigint | undefined> {
    await this.stream.load((record) => this.take(record));
    if (this.last === undefined) await this.store.setStreamMetadata(this.stream.name, { maxCount: keptCheckpoints });
    return this.last;
  }

  /**
   * Keeps whoever had the consumer before from saving anything more; answers the last checkpoint.
   * @param first where to begin when there is none
   */
  async takeOver(epoch: number, first: bigint): Promise<bigint> {
    // With the position: taken over again and again, the stream keeps it.
    await this.stream.takeOver(
      (record) => this.take(record),
      () => ({ type: 'runtime.checkpoint-reached.v1', data: { position: String(this.last ?? first), epoch } }),
    );
    return this.last ?? first;
  }

  save(position: bigint): Promise<void> {
    return this.stream.write({ type: 'runtime.checkpoint-reached.v1', data: { position: String(position) } });
  }

  private take({ data }: RecordOf<typeof runtimeCheckpoints>): void {
    this.last = BigInt(data.position);
  }
}
