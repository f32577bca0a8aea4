import type { EventStore } from '#libs/store/port';
import { runtimeCheckpoints } from '../streams.js';
import { OwnedStream } from './owned-stream.js';

const keptCheckpoints = 5;

/** How far a consumer is, in its checkpoint stream. */
export class Checkpoints {
  private readonly stream: OwnedStream<typeof runtimeCheckpoints>;

  constructor(
    private readonly store: EventStore,
    consumer: string,
    signal: AbortSignal,
  ) {
    this.stream = new OwnedStream(store, runtimeCheckpoints, consumer, signal);
  }

  /** The last checkpoint, if there is one. */
  async load(): Promise<bigint | undefined> {
    let position: bigint | undefined;
    for await (const { data } of this.stream.load()) position = BigInt(data.position);
    if (position === undefined) await this.store.setStreamMetadata(this.stream.name, { maxCount: keptCheckpoints });
    return position;
  }

  save(position: bigint): Promise<void> {
    return this.stream.write({ type: 'runtime.checkpoint-reached.v1', data: { position: String(position) } });
  }
}
