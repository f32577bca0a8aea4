import TinyQueue from 'tinyqueue';
import type { RecordOf } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { OwnedStream } from '../checkpoint/owned-stream.js';
import type { Lease } from '../lease/lease.js';
import { identityOf, runtimeRetries, type RecordRef, type RetryScheduled } from '../streams.js';

const truncateAfter = 1_000n;
/** Entries that stay for those who ask what happened to a record. They are read at each start. */
const keptEntries = 10_000n;
/** The clock may be set: it is looked at again at least that often. In milliseconds. */
const longestWait = 1_000;

/** A record of a flow that is retried or parked, or waits behind one that is. */
type Blocking = Pick<RetryScheduled, 'record' | 'correlationId'>;

/**
 * The records a consumer will try again, in its retry stream. Where order is strict, a record that is retried or
 * parked blocks its flow: later records of the flow wait behind it, in order.
 */
export class Retries {
  private readonly stream: OwnedStream<typeof runtimeRetries>;
  private readonly entries = new Map<string, RetryScheduled>();
  /** Records of a flow in order; the first one is what the others wait for. */
  private readonly flows = new Map<string, RecordRef[]>();
  private readonly due = new TinyQueue<{ readonly at: number; readonly entry: RetryScheduled }>(
    [],
    (a, b) => a.at - b.at,
  );
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private handingOut = false;
  private truncatedAt = 0n;

  /** @param handOut is called with each record when it is due, one at a time; must not reject */
  constructor(
    private readonly store: EventStore,
    key: string,
    private readonly strictOrder: boolean,
    private readonly now: () => number,
    signal: AbortSignal,
    private readonly handOut: (entry: RetryScheduled) => Promise<void>,
    private readonly lease?: Lease,
  ) {
    this.stream = new OwnedStream(store, runtimeRetries, key, signal, lease);
  }

  get size(): number {
    return this.entries.size;
  }

  /** @param parked records that block their flow from outside the retry stream */
  async load(parked: readonly Blocking[]): Promise<void> {
    const { lease } = this;
    const take = (record: RecordOf<typeof runtimeRetries>) => this.take(record);
    if (lease === undefined) await this.stream.load(take);
    else {
      await this.stream.takeOver(take, () => ({ type: 'runtime.retry-taken-over.v1', data: { epoch: lease.epoch } }));
    }
    for (const blocking of [...parked, ...this.entries.values()]) this.block(blocking);
    for (const entry of this.entries.values()) this.enqueue(entry);
  }

  /** All that have not ended. */
  list(): readonly RetryScheduled[] {
    return [...this.entries.values()];
  }

  /** True when a record of this flow has to wait behind another one. */
  blocks(flow: string): boolean {
    return this.flows.has(flow);
  }

  has(record: Pick<RecordRef, 'stream' | 'id'>): boolean {
    return this.entries.size > 0 && this.entries.has(identityOf(record));
  }

  /** False when the entry has ended, or another one has taken its place. */
  isCurrent(entry: RetryScheduled): boolean {
    return this.entries.get(identityOf(entry.record)) === entry;
  }

  async schedule(entry: RetryScheduled): Promise<void> {
    this.block(entry);
    this.entries.set(identityOf(entry.record), entry);
    await this.stream.write({ type: 'runtime.retry-scheduled.v1', data: entry });
    this.enqueue(entry);
  }

  /** The record has been handled, or is parked now (and goes on blocking its flow). */
  async end(ended: Blocking, outcome: 'handled' | 'parked'): Promise<void> {
    const { id, stream } = ended.record;
    if (this.entries.delete(identityOf(ended.record))) {
      await this.stream.write({ type: 'runtime.retry-ended.v1', data: { recordId: id, stream, outcome } });
      await this.truncateWhenEmpty();
    }
    if (outcome === 'handled') this.unblock(ended);
  }

  /** A parked record blocks its flow although it never was in the retry stream. */
  block({ correlationId, record }: Blocking): void {
    if (!this.strictOrder) return;
    const waiting = this.flows.get(correlationId) ?? [];
    if (waiting.some(({ position }) => position === record.position)) return;
    let index = waiting.length;
    while (index > 0 && BigInt(waiting[index - 1]!.position) > BigInt(record.position)) index -= 1;
    waiting.splice(index, 0, record);
    this.flows.set(correlationId, waiting);
  }

  /** The record does not block its flow any more; the next one in it is due. */
  unblock({ correlationId, record }: Blocking): void {
    const waiting = this.flows.get(correlationId)?.filter(({ position }) => position !== record.position);
    if (waiting === undefined) return;
    const [first] = waiting;
    if (first === undefined) {
      this.flows.delete(correlationId);
      return;
    }
    this.flows.set(correlationId, waiting);
    const next = this.entries.get(identityOf(first));
    if (next !== undefined) this.enqueue(next);
  }

  start(): void {
    this.running = true;
    this.arm();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  private take({ type, data }: RecordOf<typeof runtimeRetries>): void {
    if (type === 'runtime.retry-scheduled.v1') this.entries.set(identityOf(data.record), data);
    else if (type === 'runtime.retry-ended.v1') {
      this.entries.delete(identityOf({ stream: data.stream, id: data.recordId }));
    }
  }

  private enqueue(entry: RetryScheduled): void {
    this.due.push({ at: entry.dueAt ?? this.now(), entry });
    this.arm();
  }

  private arm(): void {
    clearTimeout(this.timer);
    const next = this.due.peek();
    if (next === undefined || !this.running || this.handingOut) return;
    const wait = Math.min(Math.max(next.at - this.now(), 0), longestWait);
    this.timer = setTimeout(() => void this.handOutDue(), wait);
  }

  private async handOutDue(): Promise<void> {
    this.handingOut = true;
    for (let next = this.nextDue(); next !== undefined; next = this.nextDue()) {
      if (this.isCurrent(next) && this.isFirst(next)) await this.handOut(next);
    }
    this.handingOut = false;
    this.arm();
  }

  private nextDue(): RetryScheduled | undefined {
    const next = this.due.peek();
    return this.running && next !== undefined && next.at <= this.now() ? this.due.pop()!.entry : undefined;
  }

  /** One that is not first comes again when it is. */
  private isFirst({ correlationId, record }: RetryScheduled): boolean {
    return !this.strictOrder || this.flows.get(correlationId)?.[0]?.position === record.position;
  }

  private async truncateWhenEmpty(): Promise<void> {
    const last = this.stream.lastRevision;
    if (this.entries.size > 0 || last === 'noStream' || last <= keptEntries) return;
    if (last - this.truncatedAt < truncateAfter) return;
    const before = this.truncatedAt;
    this.truncatedAt = last;
    try {
      this.lease?.check();
      await this.store.setStreamMetadata(this.stream.name, { truncateBefore: last - keptEntries });
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      // Another time.
      this.truncatedAt = before;
    }
  }
}
