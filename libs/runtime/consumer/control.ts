import type { EventStore } from '#libs/store/port';
import { OwnedStream } from '../checkpoint/owned-stream.js';
import { runtimeControls } from '../streams.js';

/** Whether an operator has paused a consumer. A pause is kept in the store, so that no restart ends it. */
export class Control {
  /** Milliseconds since the Unix epoch; undefined while the consumer is not paused. */
  pausedAt: number | undefined;
  private readonly stream: OwnedStream<typeof runtimeControls>;

  constructor(
    store: EventStore,
    consumer: string,
    signal: AbortSignal,
    private readonly now: () => number,
  ) {
    this.stream = new OwnedStream(store, runtimeControls, consumer, signal);
  }

  async load(): Promise<void> {
    for await (const { type, created } of this.stream.load()) {
      this.pausedAt = type === 'runtime.consumer-paused.v1' ? created : undefined;
    }
  }

  /** Resolves when it is durable. */
  async pause(): Promise<void> {
    this.pausedAt = this.now();
    await this.stream.write({ type: 'runtime.consumer-paused.v1', data: {} });
  }

  /** Resolves when it is durable. */
  async resume(): Promise<void> {
    this.pausedAt = undefined;
    await this.stream.write({ type: 'runtime.consumer-resumed.v1', data: {} });
  }
}
