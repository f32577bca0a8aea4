import { correlationOf, messageOf, parse, type RecordedEvent, type StreamDefinition, categoryOf } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { Checkpoints } from '../checkpoint/checkpoints.js';
import { Parked } from '../parking/parked.js';
import { Retries } from '../retry/retries.js';
import { verdictOn } from '../retry/retry-later.js';
import type { FailedTry, RecordParked, RecordRef, RetryScheduled } from '../streams.js';
import { RecordContext, StreamAccess } from '../topology/access.js';
import type { AnyHandler, Deferred, Handle, HandlerInstance } from '../topology/handler.js';
import { Flows } from './flows.js';
import { LowWaterMark, type Ticket } from './low-water-mark.js';
import { pause } from './pause.js';

const checkpointEvery = 1_000;
const saveIdleAfter = 20_000n;
const longestHold = 5_000;
/** Items taken in for each flow that may run, so that a slow flow does not hold up the others at once. */
const queuedPerFlow = 16;

export type ConsumerState = 'stopped' | 'running' | 'paused' | 'failed';

export interface ConsumerStatus {
  readonly name: string;
  readonly role: string;
  readonly state: ConsumerState;
  /** Every record up to here is done with. */
  readonly position: bigint;
  readonly handled: number;
  readonly retrying: number;
  readonly parked: number;
  readonly lastError: FailedTry | undefined;
}

/** What happens to consumers, for logs and metrics. */
export interface ConsumerLog {
  failed(consumer: string, record: RecordedEvent, error: unknown, action: string): void;
  stopped(consumer: string, error: unknown): void;
}

interface Item {
  readonly record: RecordedEvent;
  /** Set for a record that comes from the subscription. */
  readonly ticket?: Ticket;
  /** Set for a record that comes from the retry stream. */
  readonly entry?: RetryScheduled;
}

/**
 * Runs one handler over one subscription to all of its categories:
 *
 * 1. a record is handed out in global order, partitioned by flow (correlation id);
 * 2. it is checked against its definition, handled, and tried again by the handler's retry policy;
 * 3. when that does not help it goes to the durable retry stream, and at last to the parked stream;
 * 4. then its ticket is done, and the checkpoint follows the low-water mark of tickets.
 *
 * Handlers are called at least once for each record; what they write has the same ids each time.
 */
export class Consumer {
  private state: ConsumerState = 'stopped';
  private mark = new LowWaterMark(0n);
  private saved = 0n;
  private handledSinceSaved = false;
  private handled = 0;
  private lastError: FailedTry | undefined;
  private deferred = 0;
  private readonly stopping = new AbortController();
  private readonly flows: Flows<Item>;
  private readonly checkpoints: Checkpoints;
  private readonly retries: Retries;
  private readonly parked: Parked;
  private readonly access: StreamAccess;
  private readonly definitions: ReadonlyMap<string, StreamDefinition>;
  private readonly handle: Handle<RecordedEvent, RecordContext>;
  private checkpointTimer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    private readonly handler: AnyHandler,
    private readonly instance: HandlerInstance<never, never>,
    private readonly now: () => number,
    private readonly log: ConsumerLog,
  ) {
    this.handle = instance.handle as Handle<RecordedEvent, RecordContext>;
    this.access = new StreamAccess(store, handler);
    this.definitions = new Map(handler.reads.map((stream) => [stream.category, stream]));
    this.checkpoints = new Checkpoints(store, handler.name);
    this.parked = new Parked(store, handler.name);
    this.flows = new Flows(handler.concurrency, (item) => this.process(item));
    this.retries = new Retries(store, handler.name, handler.strictOrder, now, (entry) => void this.handOutAgain(entry));
  }

  get name(): string {
    return this.handler.name;
  }

  status(): ConsumerStatus {
    return {
      name: this.handler.name,
      role: this.handler.role,
      state: this.state,
      position: this.mark.position,
      handled: this.handled,
      retrying: this.retries.size,
      parked: this.parked.list().length,
      lastError: this.lastError,
    };
  }

  /** Resolves when the consumer has its checkpoint and begins to receive. */
  async start(): Promise<void> {
    const position = (await this.checkpoints.load()) ?? 0n;
    this.mark = new LowWaterMark(position);
    this.saved = position;
    await this.parked.load();
    await this.retries.load(this.parked.list().map(({ record, correlationId }) => [record.id, correlationId]));
    this.state = 'running';
    this.running = this.receive(position);
    this.retries.start();
    this.checkpointTimer = setInterval(
      () => void this.checkpoint().catch((error: unknown) => this.fail(error)),
      checkpointEvery,
    );
  }

  /** Hands out nothing more until `resume`; what is being handled is finished. */
  pause(): void {
    if (this.state !== 'running') return;
    this.state = 'paused';
    this.flows.pause();
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    this.flows.resume();
  }

  /** Takes in nothing more, finishes what is being handled, saves the checkpoint. */
  async drain(): Promise<void> {
    if (this.state === 'stopped') return;
    this.stopping.abort();
    this.retries.stop();
    clearInterval(this.checkpointTimer);
    await Promise.all([this.flows.close(), this.running]);
    await this.instance.stop?.();
    // What was deferred and has just settled counts.
    await Promise.resolve();
    await this.checkpoint().catch((error: unknown) => this.fail(error));
    this.state = 'stopped';
  }

  listParked(): readonly RecordParked[] {
    return this.parked.list();
  }

  /** Hands a parked record out again. False when it is not parked. */
  async redrive(recordId: string): Promise<boolean> {
    const parked = this.parked.get(recordId);
    if (parked === undefined) return false;
    // Scheduled first: killed in between, the record is tried and parked again rather than forgotten.
    await this.retries.schedule({ ...parked, tries: [], dueAt: this.now() });
    await this.parked.release(recordId, 'redriven');
    return true;
  }

  /** Gives a parked record up for good. False when it is not parked. */
  async archive(recordId: string): Promise<boolean> {
    const parked = await this.parked.release(recordId, 'archived');
    if (parked === undefined) return false;
    this.retries.unblock(parked.correlationId, recordId);
    return true;
  }

  private async receive(after: bigint): Promise<void> {
    const filter = { categories: [...this.definitions.keys()] };
    const mostQueued = this.handler.concurrency * queuedPerFlow;
    const { signal } = this.stopping;
    let position = after;
    for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestHold)) {
      try {
        for await (const batch of this.store.subscribeToAll({ after: position, filter, signal })) {
          for (const record of batch.events) {
            if (this.flows.size >= mostQueued) await this.flows.below(mostQueued);
            while (this.deferred >= this.handler.mostDeferred && !signal.aborted) await pause(20, signal);
            if (signal.aborted) return;
            this.flows.add(correlationOf(record), { record, ticket: this.mark.take(record.position) });
            position = record.position;
          }
          if (batch.checkpoint > position) {
            position = batch.checkpoint;
            this.mark.pass(position);
          }
          wait = 100;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof StoreUnavailable) || error.final) {
          this.fail(error);
          return;
        }
        await pause(wait, signal);
      }
    }
  }

  private async process(item: Item): Promise<void> {
    try {
      await this.settle(item);
    } catch (error) {
      // Bookkeeping failed for good: the record stays undone and is handed out again after a restart.
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.state = 'failed';
    this.lastError = { at: this.now(), error: messageOf(error) };
    this.log.stopped(this.name, error);
  }

  private async settle(item: Item): Promise<void> {
    const { record, ticket, entry } = item;
    const flow = correlationOf(record);
    if (entry !== undefined && !this.retries.has(record.id)) return;
    if (entry === undefined && this.retries.blocks(flow)) {
      if (!this.retries.has(record.id) && this.parked.get(record.id) === undefined) {
        await this.retries.schedule({ record: refOf(record), correlationId: flow, dueAt: null, tries: [] });
      }
      this.finish(ticket);
      return;
    }
    for (let tries = 1, hold = 100; !this.stopping.signal.aborted;) {
      try {
        const deferred = await this.run(record, flow);
        if (deferred) this.await(deferred, item);
        else await this.finishHandled(item);
        return;
      } catch (error) {
        const failed = entry?.tries ?? [];
        const verdict = verdictOn(error, tries, failed.length, this.handler.retry, this.now());
        if (verdict.action === 'hold' && this.stopping.signal.aborted) return;
        if (verdict.action !== 'later' || verdict.counts) {
          this.lastError = { at: this.now(), error: messageOf(error) };
          this.log.failed(this.name, record, error, verdict.action);
        }
        if (verdict.action === 'hold') {
          await pause(hold, this.stopping.signal);
          hold = Math.min(hold * 2, longestHold);
        } else if (verdict.action === 'again') {
          await pause(verdict.after, this.stopping.signal);
          tries += 1;
        } else {
          await this.setAside(record, flow, error, failed, verdict);
          this.finish(ticket);
          return;
        }
      }
    }
  }

  private run(record: RecordedEvent, flow: string): Promise<Deferred | void> {
    const definition = this.definitions.get(categoryOf(record.stream))!;
    const context = new RecordContext(this.access, record, flow, this.stopping.signal, this.now);
    return this.handle(parse(definition, record), context);
  }

  private await({ settled }: Deferred, item: Item): void {
    this.deferred += 1;
    settled
      .then((done) => (done ? this.finishHandled(item) : undefined))
      .catch(async (error: unknown) => {
        this.log.failed(this.name, item.record, error, 'later');
        const failed = item.entry?.tries ?? [];
        const verdict = verdictOn(error, Infinity, failed.length, this.handler.retry, this.now());
        if (verdict.action !== 'later' && verdict.action !== 'park') return;
        await this.setAside(item.record, correlationOf(item.record), error, failed, verdict);
        this.finish(item.ticket);
      })
      .catch((error: unknown) => this.fail(error))
      .finally(() => (this.deferred -= 1));
  }

  private async finishHandled({ ticket, entry }: Item): Promise<void> {
    this.handled += 1;
    this.handledSinceSaved = true;
    if (entry !== undefined) await this.retries.end(entry, 'handled');
    this.finish(ticket);
  }

  private finish(ticket: Ticket | undefined): void {
    if (ticket !== undefined) this.mark.finish(ticket);
  }

  private async setAside(
    record: RecordedEvent,
    flow: string,
    error: unknown,
    failed: readonly FailedTry[],
    verdict: { action: 'later'; dueAt: number; counts: boolean } | { action: 'park' },
  ): Promise<void> {
    const counts = verdict.action === 'park' || verdict.counts;
    const tries = counts ? [...failed, { at: this.now(), error: messageOf(error) }] : failed;
    const entry = { record: refOf(record), correlationId: flow, tries };
    if (verdict.action === 'later') {
      await this.retries.schedule({ ...entry, dueAt: verdict.dueAt });
      return;
    }
    this.retries.block(flow, record.id);
    await this.parked.park(entry);
    await this.retries.end({ ...entry, dueAt: null }, 'parked');
  }

  private async handOutAgain(entry: RetryScheduled): Promise<void> {
    try {
      const { stream, revision, id } = entry.record;
      for await (const record of this.store.readStream(stream, { from: BigInt(revision), limit: 1 })) {
        if (record.id === id) {
          this.flows.add(entry.correlationId, { record, entry });
          return;
        }
      }
      // The stream was deleted or truncated: there is nothing left to handle.
      await this.retries.end(entry, 'handled');
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.log.stopped(this.name, error);
      await pause(longestHold, this.stopping.signal);
      if (!this.stopping.signal.aborted) await this.handOutAgain(entry);
    }
  }

  private async checkpoint(): Promise<void> {
    const position = this.mark.position;
    // Checkpoints are records too: two idle consumers must not keep each other awake with them.
    if (position === this.saved || (!this.handledSinceSaved && position - this.saved < saveIdleAfter)) return;
    this.saved = position;
    this.handledSinceSaved = false;
    await this.checkpoints.save(position);
  }
}

function refOf(record: RecordedEvent): RecordRef {
  const { id, type, stream } = record;
  return { id, type, stream, revision: String(record.revision), position: String(record.position) };
}
