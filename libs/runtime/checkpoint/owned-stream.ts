import { newId, streamName, type Message, type MessageOf, type RecordOf, type StreamDefinition } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { pause } from '../consumer/pause.js';

/** Of the runtime's own events, the largest of which are some 30 KB: together they fit into one append. */
const batchSize = 32;

/**
 * A stream with this process as its only writer: it knows the revision, and what is written at the same time goes in
 * one append. A writer that took over elsewhere shows as `WrongExpectedRevision`, after which every write fails.
 */
export class OwnedStream<Stream extends StreamDefinition> {
  readonly name: string;
  private revision: bigint | 'noStream' = 'noStream';
  private waiting: { readonly message: Message; resolve(): void; reject(error: unknown): void }[] = [];
  private writing = false;

  constructor(
    private readonly store: EventStore,
    definition: Stream,
    key: string,
    private readonly signal: AbortSignal,
  ) {
    this.name = streamName(definition, key);
  }

  /** Revision of the last event, once loaded. */
  get lastRevision(): bigint | 'noStream' {
    return this.revision;
  }

  /** Reads the stream from where it is truncated. */
  async *load(): AsyncGenerator<RecordOf<Stream>> {
    for await (const record of this.store.readStream(this.name)) {
      this.revision = record.revision;
      yield record as RecordOf<Stream>;
    }
  }

  /** Resolves when the message is durable. Waits while the store is unavailable, unless the signal is aborted. */
  write(message: MessageOf<Stream>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ message, resolve, reject });
      if (!this.writing) void this.writeWaiting();
    });
  }

  private async writeWaiting(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, batchSize);
      const events = batch.map(({ message }) => ({ id: newId(), ...message }));
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

  private async appendWhenAvailable(events: readonly { id: string; type: string; data: unknown }[]) {
    for (let wait = 100; ; wait = Math.min(wait * 2, 5_000)) {
      try {
        return await this.store.append(this.name, this.revision, events);
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || error.final || this.signal.aborted) throw error;
        await pause(wait, this.signal);
      }
    }
  }
}
