import { setMaxListeners } from 'node:events';
import { correlationOf, messageOf, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable, StreamDeleted, type EventStore } from '#libs/store/port';
import { Checkpoints } from '../checkpoint/checkpoints.js';
import { Parked, type ArchivedRecord } from '../parking/parked.js';
import { Retries } from '../retry/retries.js';
import type { RecordParked, RecordRef, RetryScheduled } from '../streams.js';
import { openStanding, StreamAccess, type RecordContext } from '../topology/access.js';
import type { AnyHandler, Handle, HandlerInstance } from '../topology/handler.js';
import type { ViewNames } from '../view/view-names.js';
import type { WorkTrace } from '../work-trace.js';
import { Control } from './control.js';
import { Flows } from './flows.js';
import { LowWaterMark } from './low-water-mark.js';
import { pause } from './pause.js';
import { RecordProcessor, type Item } from './record-processor.js';
import type { ConsumerLog, ConsumerState, ConsumerStatus } from './status.js';

const checkpointEvery = 1_000;
const saveIdleAfter = 20_000n;
const longestHold = 5_000;
/** Items taken in for each flow that may run, so that a slow flow does not hold up the others at once. */
const queuedPerFlow = 16;
/** Records to be retried, at some 500 bytes of memory each; with more, the consumer takes nothing in. */
const mostRetrying = 200_000;

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
  private finishedSinceSaved = false;
  private saving = false;
  private readonly stopping = new AbortController();
  private readonly mostQueued: number;
  private readonly flows: Flows<Item>;
  private readonly checkpoints: Checkpoints;
  private readonly retries: Retries;
  private readonly parked: Parked;
  private readonly control: Control;
  private readonly processor: RecordProcessor;
  private readonly standing: ReturnType<typeof openStanding>;
  private checkpointTimer: NodeJS.Timeout | undefined;
  private receiving: Promise<void> = Promise.resolve();
  private halted: Promise<void> | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly handler: AnyHandler,
    private readonly instance: HandlerInstance<never, never, never>,
    private readonly now: () => number,
    private readonly log: ConsumerLog,
    trace: WorkTrace,
    views?: ViewNames,
  ) {
    const { name, concurrency, strictOrder } = handler;
    const { signal } = this.stopping;
    // Every flow that waits listens to it.
    setMaxListeners(0, signal);
    this.mostQueued = concurrency * queuedPerFlow;
    this.checkpoints = new Checkpoints(store, name, signal);
    this.parked = new Parked(store, name, signal, now);
    this.control = new Control(store, name, signal, now);
    this.retries = new Retries(store, name, strictOrder, now, signal, (entry) => this.handOutAgain(entry));
    const access = new StreamAccess(store, handler, views);
    const fail = (error: unknown) => this.fail(error);
    this.standing = openStanding({ access, signal, now, isPaused: () => this.control.pausedAt !== undefined, fail });
    this.processor = new RecordProcessor({
      handler,
      handle: instance.handle as Handle<RecordedEvent, RecordContext>,
      access,
      retries: this.retries,
      parked: this.parked,
      signal,
      now,
      log,
      trace,
      finish: (ticket) => {
        this.finishedSinceSaved = true;
        this.mark.finish(ticket);
      },
      handOut: (item) => this.flows.add(correlationOf(item.record), item),
      fail,
    });
    this.flows = new Flows(concurrency, (item) => this.processor.process(item));
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
      handled: this.processor.handled,
      waiting: this.flows.size,
      retrying: this.retries.size,
      parked: this.parked.size,
      lastError: this.processor.lastError,
      pausedAt: this.control.pausedAt,
    };
  }

  /** Resolves when the consumer has its checkpoint and begins to receive; waits where the store is away. */
  async start(): Promise<void> {
    const position = await this.load();
    if (position === undefined || this.stopping.signal.aborted) return;
    this.mark = new LowWaterMark(position);
    this.saved = position;
    this.state = 'running';
    if (this.control.pausedAt !== undefined) this.holdBack();
    this.receiving = this.receive(position);
    this.retries.start();
    this.checkpointTimer = setInterval(() => void this.checkpoint(), checkpointEvery);
  }

  /** Loads what is kept of the consumer, and waits for a store that is away. Undefined when it is stopped before. */
  private async load(): Promise<bigint | undefined> {
    const { signal } = this.stopping;
    for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestHold)) {
      try {
        const position = (await this.checkpoints.load()) ?? 0n;
        await this.control.load();
        await this.parked.load();
        await this.retries.load(this.parked.list());
        await this.instance.start?.(this.standing as never);
        return position;
      } catch (error) {
        if (!isOutage(error)) throw error;
      }
      await pause(wait, signal);
    }
    return undefined;
  }

  /**
   * Hands out nothing more until `resume`, also after a restart; what is being handled is finished. Resolves when the
   * pause is durable. Does nothing where the consumer is not running.
   */
  async pause(): Promise<void> {
    if (this.state !== 'running') return;
    this.holdBack();
    await this.control.pause();
  }

  /** Goes on where it was. Resolves when that is durable. */
  async resume(): Promise<void> {
    if (this.state !== 'paused') return;
    this.state = 'running';
    this.flows.resume();
    await this.control.resume();
  }

  /** Takes in nothing more, finishes what is being handled, saves the checkpoint. A drained consumer is not started again. */
  async drain(): Promise<void> {
    await this.halt();
    if (this.state === 'running' || this.state === 'paused') await this.checkpoint();
    this.state = 'stopped';
  }

  listParked(): readonly RecordParked[] {
    return this.parked.list();
  }

  /** The records that were given up for good. */
  listArchived(): readonly ArchivedRecord[] {
    return this.parked.listArchived();
  }

  /** Hands a parked record out again. False when it is not parked. */
  async redrive(record: Pick<RecordRef, 'stream' | 'id'>): Promise<boolean> {
    // Scheduled first: killed in between, the record is tried again rather than forgotten.
    const redriven = await this.parked.release(record, 'redriven', (parked) =>
      this.retries.schedule({ ...parked, tries: [], dueAt: this.now() }),
    );
    return redriven !== undefined;
  }

  /** Gives a parked record up for good. False when it is not parked. */
  async archive(record: Pick<RecordRef, 'stream' | 'id'>): Promise<boolean> {
    const parked = await this.parked.release(record, 'archived');
    if (parked === undefined) return false;
    this.retries.unblock(parked);
    return true;
  }

  private holdBack(): void {
    this.state = 'paused';
    this.flows.pause();
  }

  private halt(): Promise<void> {
    this.halted ??= this.stopHandingOut();
    return this.halted;
  }

  private async stopHandingOut(): Promise<void> {
    this.stopping.abort();
    this.retries.stop();
    clearInterval(this.checkpointTimer);
    await Promise.all([this.flows.close(), this.receiving]);
    await this.instance.stop?.();
    // What was deferred and has just settled counts.
    await Promise.resolve();
  }

  private fail(error: unknown): void {
    // An outage while stopping: what is not done is handed out again after a restart.
    if (this.stopping.signal.aborted && error instanceof StoreUnavailable) return;
    if (this.state === 'failed') return;
    this.state = 'failed';
    this.processor.lastError = { at: this.now(), error: messageOf(error) };
    this.log.stopped(this.name, error);
    this.halt().catch((failure: unknown) => this.log.stopped(this.name, failure));
  }

  private async receive(after: bigint): Promise<void> {
    const filter = { categories: this.handler.reads.map(({ category }) => category) };
    const { signal } = this.stopping;
    let position = after;
    for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestHold)) {
      try {
        for await (const batch of this.store.subscribeToAll({ after: position, filter, signal })) {
          for (const record of batch.events) {
            await this.room();
            if (signal.aborted) return;
            position = record.position;
            // The store's own, such as a tombstone.
            if (record.type.startsWith('$')) this.mark.pass(position);
            else this.flows.add(correlationOf(record), { record, ticket: this.mark.take(position) });
          }
          if (batch.checkpoint > position) {
            position = batch.checkpoint;
            this.mark.pass(position);
          }
          wait = 100;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!isOutage(error)) {
          this.fail(error);
          return;
        }
      }
      await pause(wait, signal);
    }
  }

  /** Resolves when another record may be taken in, or the consumer stops. */
  private async room(): Promise<void> {
    const { signal } = this.stopping;
    if (this.flows.size >= this.mostQueued) await this.flows.below(this.mostQueued);
    while (this.isFull() && !signal.aborted) await pause(20, signal);
  }

  private isFull(): boolean {
    return this.processor.deferred >= this.handler.mostDeferred || this.retries.size >= mostRetrying;
  }

  private async handOutAgain(entry: RetryScheduled): Promise<void> {
    const { signal } = this.stopping;
    for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestHold)) {
      // Above what is taken in, so that a backlog does not keep retries out.
      await this.flows.below(this.mostQueued + this.handler.concurrency);
      try {
        const record = await this.find(entry.record);
        if (record !== undefined) this.flows.add(entry.correlationId, { record, entry });
        // The stream was deleted or truncated: there is nothing left to handle.
        else await this.retries.end(entry, 'handled');
        return;
      } catch (error) {
        if (!isOutage(error)) {
          this.fail(error);
          return;
        }
        await pause(wait, signal);
      }
    }
  }

  private async find({ stream, revision, id }: RecordRef): Promise<RecordedEvent | undefined> {
    try {
      for await (const record of this.store.readStream(stream, { from: BigInt(revision), limit: 1 })) {
        if (record.id === id) return record;
      }
    } catch (error) {
      if (!(error instanceof StreamDeleted)) throw error;
    }
    return undefined;
  }

  private async checkpoint(): Promise<void> {
    const { position } = this.mark;
    // Checkpoints are records too: two idle consumers must not keep each other awake with them.
    const worthwhile = this.finishedSinceSaved ? position !== this.saved : position - this.saved >= saveIdleAfter;
    if (!worthwhile || (this.saving && !this.stopping.signal.aborted)) return;
    this.saving = true;
    this.saved = position;
    this.finishedSinceSaved = false;
    try {
      await this.checkpoints.save(position);
    } catch (error) {
      this.fail(error);
    } finally {
      this.saving = false;
    }
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailable && !error.final;
}
