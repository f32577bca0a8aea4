import { Subject, type Observable } from 'rxjs';
import type { RecordedEvent, StreamDefinition } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { pause } from '../consumer/pause.js';
import { ServedStreams } from '../view/served-streams.js';

/**
 * What is appended from now on to some streams, of views to the version that serves, as it comes: for waits, caches and live
 * pages, never for duties.
 */
export class LiveFeed {
  private readonly subject = new Subject<RecordedEvent>();
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private seen = -1n;

  private readonly served: ServedStreams;

  constructor(
    private readonly store: EventStore,
    streams: readonly StreamDefinition[],
  ) {
    this.served = new ServedStreams(store, streams);
  }

  /** Everything up to here has been emitted; negative until the store has answered once. */
  get position(): bigint {
    return this.seen;
  }

  get records(): Observable<RecordedEvent> {
    return this.subject;
  }

  /** Begins with what is appended from now on; with a store that is away, from when it is there. */
  async start(): Promise<void> {
    try {
      this.seen = await this.store.head();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || error.final) throw error;
    }
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    this.subject.complete();
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    for (let wait = 50; !signal.aborted; wait = Math.min(wait * 2, 5_000)) {
      try {
        if (this.seen < 0n) this.seen = await this.store.head();
        for await (const batch of this.served.subscribe(this.seen, signal)) {
          for (const record of batch.events) this.subject.next(record);
          this.seen = batch.checkpoint;
          wait = 50;
        }
      } catch (error) {
        if (error instanceof StoreUnavailable && error.final) return;
      }
      await pause(wait, signal);
    }
  }
}
