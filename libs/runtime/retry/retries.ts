import TinyQueue from 'tinyqueue';
import type { EventStore } from '#libs/store/port';
import { OwnedStream } from '../checkpoint/owned-stream.js';
import { runtimeRetries, type RetryScheduled } from '../streams.js';

const truncateAfter = 1_000n;
const longestTimeout = 2_147_483_647;

/**
 * The records a consumer will try again, in its retry stream. Where order is strict, a record that is retried or
 * parked blocks its flow: later records of the flow wait behind it, in order.
 */
export class Retries {
  private readonly stream: OwnedStream<typeof runtimeRetries>;
  private readonly entries = new Map<string, RetryScheduled>();
  /** Record ids of a flow in order; the first one is what the others wait for. */
  private readonly flows = new Map<string, string[]>();
  private readonly due = new TinyQueue<{ readonly at: number; readonly recordId: string }>([], (a, b) => a.at - b.at);
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private truncatedAt = 0n;

  /** @param handOut is called with each record when it is due */
  constructor(
    private readonly store: EventStore,
    consumer: string,
    private readonly strictOrder: boolean,
    private readonly now: () => number,
    private readonly handOut: (entry: RetryScheduled) => void,
  ) {
    this.stream = new OwnedStream(store, runtimeRetries, consumer);
  }

  get size(): number {
    return this.entries.size;
  }

  /** @param parked records that block their flow from outside the retry stream, as record id and flow */
  async load(parked: Iterable<readonly [recordId: string, flow: string]>): Promise<void> {
    for (const [recordId, flow] of parked) this.block(flow, recordId);
    for await (const { type, data } of this.stream.load()) {
      if (type === 'runtime.retry-scheduled.v1') {
        this.entries.set(data.record.id, data);
        this.block(data.correlationId, data.record.id);
      } else {
        const entry = this.entries.get(data.recordId);
        this.entries.delete(data.recordId);
        if (entry !== undefined && data.outcome === 'handled') this.unblock(entry.correlationId, data.recordId);
      }
    }
    for (const entry of this.entries.values()) this.enqueue(entry);
    for (const flow of this.flows.keys()) this.wake(flow);
  }

  /** True when a record of this flow has to wait behind another one. */
  blocks(flow: string): boolean {
    return this.flows.has(flow);
  }

  has(recordId: string): boolean {
    return this.entries.has(recordId);
  }

  async schedule(entry: RetryScheduled): Promise<void> {
    this.block(entry.correlationId, entry.record.id);
    await this.stream.write({ type: 'runtime.retry-scheduled.v1', data: entry });
    this.entries.set(entry.record.id, entry);
    this.enqueue(entry);
  }

  /** The record has been handled, or is parked now (and goes on blocking its flow). */
  async end({ record, correlationId }: RetryScheduled, outcome: 'handled' | 'parked'): Promise<void> {
    if (this.entries.delete(record.id)) {
      await this.stream.write({ type: 'runtime.retry-ended.v1', data: { recordId: record.id, outcome } });
      await this.truncateWhenEmpty();
    }
    if (outcome === 'handled') this.unblock(correlationId, record.id);
  }

  /** A parked record blocks its flow although it never was in the retry stream. */
  block(flow: string, recordId: string): void {
    if (!this.strictOrder) return;
    const waiting = this.flows.get(flow);
    if (waiting === undefined) this.flows.set(flow, [recordId]);
    else if (!waiting.includes(recordId)) waiting.push(recordId);
  }

  /** The record does not block its flow any more; the next one in it is due. */
  unblock(flow: string, recordId: string): void {
    const waiting = this.flows.get(flow);
    const index = waiting?.indexOf(recordId) ?? -1;
    if (waiting === undefined || index < 0) return;
    waiting.splice(index, 1);
    if (waiting.length === 0) this.flows.delete(flow);
    else if (index === 0) this.wake(flow);
  }

  start(): void {
    this.running = true;
    this.arm();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  private wake(flow: string): void {
    const first = this.entries.get(this.flows.get(flow)![0]!);
    if (first !== undefined && first.dueAt === null) this.enqueue({ ...first, dueAt: this.now() });
  }

  private enqueue(entry: RetryScheduled): void {
    if (entry.dueAt === null) return;
    this.due.push({ at: entry.dueAt, recordId: entry.record.id });
    this.arm();
  }

  private arm(): void {
    clearTimeout(this.timer);
    const next = this.due.peek();
    if (next === undefined || !this.running) return;
    const wait = Math.min(Math.max(next.at - this.now(), 0), longestTimeout);
    this.timer = setTimeout(() => this.handOutDue(), wait);
  }

  private handOutDue(): void {
    for (let next = this.due.peek(); next !== undefined && next.at <= this.now(); next = this.due.peek()) {
      this.due.pop();
      const entry = this.entries.get(next.recordId);
      if (entry !== undefined) this.handOut(entry);
    }
    this.arm();
  }

  private async truncateWhenEmpty(): Promise<void> {
    const last = this.stream.lastRevision;
    if (this.entries.size > 0 || last === 'noStream' || last - this.truncatedAt < truncateAfter) return;
    this.truncatedAt = last;
    await this.store.setStreamMetadata(this.stream.name, { truncateBefore: last + 1n });
  }
}
