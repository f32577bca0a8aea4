import { correlationOf, type RecordedEvent } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import type { AnyHandler } from '../topology/handler.js';
import { isOutage, longestHold } from './outage.js';
import { partitionOf, partitionsOf } from './partitions.js';
import { pause } from './pause.js';

/** A partition, as it takes records in. */
export interface Sink {
  readonly index: number;
  /** Everything up to here is done. */
  readonly position: bigint;
  /** Resolves when a record may be taken in; undefined where one may be taken in now. */
  room(): Promise<void> | undefined;
  add(record: RecordedEvent, flow: string): void;
  /** Everything up to here has been handed out. @param others records that were for other partitions */
  pass(position: bigint, others: number): void;
  fail(error: unknown): void;
}

/** A sink, and how far it has been handed what is for it. */
interface Taking {
  readonly sink: Sink;
  received: bigint;
  /** Records of the batch at hand that were for it. */
  own: number;
}

/**
 * Hands a handler's records to the partitions that this process has. They share one subscription; partitions that come
 * later begin with one of their own, and share that of the others once they are where those are.
 */
export class Receiver {
  private readonly count: number;
  private readonly subscriptions: Subscription[] = [];

  constructor(
    private readonly store: EventStore,
    private readonly handler: AnyHandler,
    count: number,
  ) {
    this.count = partitionsOf(handler, count);
  }

  add(sinks: readonly Sink[]): void {
    if (sinks.length === 0) return;
    const subscription = new Subscription(this.store, this.handler, this.count, () => this.merge(subscription));
    subscription.take(sinks.map((sink) => ({ sink, received: sink.position, own: 0 })));
    this.subscriptions.push(subscription);
    subscription.start();
  }

  /** Resolves when nothing more is handed to the sink. */
  async remove(sink: Sink): Promise<void> {
    const subscription = this.subscriptions.find((one) => one.drop(sink));
    if (subscription === undefined || !subscription.isEmpty) return;
    this.subscriptions.splice(this.subscriptions.indexOf(subscription), 1);
    await subscription.stop();
  }

  /** The subscription has come to the end of the store. */
  private merge(subscription: Subscription): void {
    const [first] = this.subscriptions;
    if (first === undefined || first === subscription) return;
    this.subscriptions.splice(this.subscriptions.indexOf(subscription), 1);
    first.take(subscription.handOver());
  }
}

class Subscription {
  private readonly takings = new Map<number, Taking>();
  private stopped = new AbortController();
  /** Ends one run of the subscription, for the next one to begin further back. */
  private run = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    private readonly handler: AnyHandler,
    private readonly count: number,
    private readonly caughtUp: () => void,
  ) {}

  get isEmpty(): boolean {
    return this.takings.size === 0;
  }

  start(): void {
    this.running = this.receive();
  }

  stop(): Promise<void> {
    this.stopped.abort();
    this.run.abort();
    return this.running;
  }

  take(takings: readonly Taking[]): void {
    for (const taking of takings) this.takings.set(taking.sink.index, taking);
    this.run.abort();
  }

  drop(sink: Sink): boolean {
    return this.takings.get(sink.index)?.sink === sink && this.takings.delete(sink.index);
  }

  /** Ends, and answers what it has served. */
  handOver(): readonly Taking[] {
    const takings = [...this.takings.values()];
    this.takings.clear();
    void this.stop();
    return takings;
  }

  private async receive(): Promise<void> {
    const filter = { categories: this.handler.reads.map(({ category }) => category) };
    for (let wait = 100; !this.stopped.signal.aborted;) {
      this.run = new AbortController();
      const { signal } = this.run;
      try {
        for await (const batch of this.store.subscribeToAll({ after: this.received(), filter, signal })) {
          await this.handOut(batch.events, signal);
          if (signal.aborted) break;
          this.pass(batch.checkpoint, batch.events);
          wait = 100;
          if (batch.live) this.caughtUp();
        }
      } catch (error) {
        if (!signal.aborted && !isOutage(error)) {
          for (const { sink } of [...this.takings.values()]) sink.fail(error);
          return;
        }
      }
      if (signal.aborted) continue;
      await pause(wait, this.stopped.signal);
      wait = Math.min(wait * 2, longestHold);
    }
  }

  private async handOut(records: readonly RecordedEvent[], signal: AbortSignal): Promise<void> {
    for (const record of records) {
      const { position } = record;
      // The store's own, such as a tombstone.
      if (record.type.startsWith('$')) continue;
      const flow = correlationOf(record);
      const taking = this.takings.get(partitionOf(flow, this.count));
      // What a subscription that was further on has handed out.
      if (taking === undefined || position <= taking.received) continue;
      await taking.sink.room();
      if (signal.aborted) return;
      if (this.takings.get(taking.sink.index) !== taking) continue;
      taking.received = position;
      taking.own += 1;
      taking.sink.add(record, flow);
    }
  }

  private pass(checkpoint: bigint, records: readonly RecordedEvent[]): void {
    const last = records.at(-1)?.position ?? 0n;
    const position = checkpoint > last ? checkpoint : last;
    for (const taking of this.takings.values()) {
      const { sink, own } = taking;
      taking.own = 0;
      if (position < taking.received) continue;
      taking.received = position;
      sink.pass(position, records.length - own);
    }
  }

  /** Where the one is that is furthest behind. */
  private received(): bigint {
    const all = [...this.takings.values()].map(({ received }) => received);
    return all.length === 0 ? 0n : all.reduce((least, one) => (one < least ? one : least));
  }
}
