import type { RecordOf } from '#libs/kernel';
import { WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { OwnedStream } from '../checkpoint/owned-stream.js';
import { runtimeControls } from '../streams.js';

/**
 * Whether an operator has paused a consumer. A pause is kept in the store, so that no restart ends it; it is the same for
 * all partitions and in all processes.
 */
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

  /** Reads what has come since it was last read. */
  load(): Promise<void> {
    return this.stream.load(({ type, created }: RecordOf<typeof runtimeControls>) => {
      this.pausedAt = type === 'runtime.consumer-paused.v1' ? created : undefined;
    });
  }

  /** Resolves when it is durable. */
  pause(): Promise<void> {
    return this.turn('runtime.consumer-paused.v1', true);
  }

  /** Resolves when it is durable. */
  resume(): Promise<void> {
    return this.turn('runtime.consumer-resumed.v1', false);
  }

  private async turn(type: keyof (typeof runtimeControls)['contents'], isPaused: boolean): Promise<void> {
    while ((this.pausedAt !== undefined) !== isPaused) {
      try {
        await this.stream.write({ type, data: {} });
        this.pausedAt = isPaused ? this.now() : undefined;
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision)) throw error;
        // Another process was quicker, perhaps with the same wish.
        await this.load();
      }
    }
  }
}
