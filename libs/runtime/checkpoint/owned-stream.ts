import { newId, streamName, type MessageOf, type RecordOf, type StreamDefinition } from '#libs/kernel';
import { StoreUnavailable, WrongExpectedRevision, type EventStore, type NewEvent } from '#libs/store/port';
import { pause } from '../consumer/pause.js';
import { LeaseLost, type Lease } from '../lease/lease.js';

/** Of the runtime's own events, the largest of which are some 30 KB: together they fit into one append. */
const batchSize = 32;

/**
 * A stream with this process as its only writer: it knows the revision, and what is written at the same time goes in
 * one append. A writer that took over elsewhere shows as `WrongExpectedRevision`, after which every write fails – as
 * `LeaseLost` where there is a lease, which is looked at before each append, too.
 */
export class OwnedStream<Stream extends StreamDefinition> {
  readonly name: string;
  private revision: bigint | 'noStream' = 'noStream';
  private waiting: { readonly event: NewEvent; resolve(): void; reject(error: unknown): void }[] = [];
  private writing = false;

  constructor(
    private readonly store: EventStore,
    definition: Stream,
    key: string,
    private readonly signal: AbortSignal,
    private readonly lease?: Lease,
  ) {
    this.name = streamName(definition, key);
  }

  /** Revision of the last event, once loaded. */
  get lastRevision(): bigint | 'noStream' {
    return this.revision;
  }

  /** Reads the stream from where it is truncated; called again, what has come since. */
  async load(take: (record: RecordOf<Stream>) => void): Promise<void> {
    const from = this.revision === 'noStream' ? {} : { from: this.revision + 1n };
    for await (const record of this.store.readStream(this.name, from)) {
      // Read twice at the same time, it is taken once: what is older must not come after what is newer.
      if (this.revision !== 'noStream' && record.revision <= this.revision) continue;
      this.revision = record.revision;
      take(record as RecordOf<Stream>);
    }
  }

  /**
   * Loads the stream and appends to its very end, so that whoever wrote it before cannot any more.
   * @param message made from what is loaded
   */
  async takeOver(take: (record: RecordOf<Stream>) => void, message: () => MessageOf<Stream>): Promise<void> {
    for (;;) {
      await this.load(take);
      this.lease?.check();
      try {
        const event: NewEvent = { id: newId(), ...message() };
        const { revision } = await this.store.append(this.name, this.revision, [event]);
        this.revision = revision;
        return;
      } catch (error) {
        // The former writer was a little quicker.
        if (!(error instanceof WrongExpectedRevision)) throw error;
      }
    }
  }

  /** Resolves when the message is durable. Waits while the store is unavailable, unless the signal is aborted. */
  write(message: MessageOf<Stream>, id = newId()): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ event: { id, ...message }, resolve, reject });
      if (!this.writing) void this.writeWaiting();
    });
  }

  private async writeWaiting(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, batchSize);
      const events = batch.map(({ event }) => event);
      try {
        const result = await this.appendWhenAvailable(events);
        this.revision = result.revision;
        for (const entry of batch) entry.resolve();
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
    }
    this.writing = false;
  }

  private async appendWhenAvailable(events: readonly NewEvent[]) {
    const { lease } = this;
    for (let wait = 100; ; wait = Math.min(wait * 2, 5_000)) {
      lease?.check();
      try {
        return await this.store.append(this.name, this.revision, events);
      } catch (error) {
        if (lease !== undefined && error instanceof WrongExpectedRevision) {
          lease.lose();
          throw new LeaseLost(lease.slot);
        }
        if (!(error instanceof StoreUnavailable) || error.final || this.signal.aborted) throw error;
        await pause(wait, this.signal);
      }
    }
  }
}
