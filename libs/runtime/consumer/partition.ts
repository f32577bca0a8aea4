import { setMaxListeners } from 'node:events';
import { correlationOf, messageOf, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable } from '#libs/store/port';
import { Checkpoints } from '../checkpoint/checkpoints.js';
import { LeaseLost } from '../lease/lease.js';
import type { ParkedRequest } from '../parking/parked-request.js';
import type { ArchivedRecord } from '../parking/parked-book.js';
import { Parked } from '../parking/parked.js';
import { Retries } from '../retry/retries.js';
import type { FailedTry, RecordParked, RecordRef, RetryScheduled } from '../streams.js';
import { openStanding, StreamAccess, type RecordContext } from '../topology/access.js';
import type { Handle } from '../topology/handler.js';
import { EarlierBooks } from './earlier-books.js';
import { findRecord } from './find-record.js';
import { Flows } from './flows.js';
import { LowWaterMark } from './low-water-mark.js';
import { isOutage, longestHold, whenThere } from './outage.js';
import type { PartitionParts } from './partition-parts.js';
import { partitionOf } from './partitions.js';
import { pause } from './pause.js';
import type { Sink } from './receiver.js';
import { RecordProcessor, type Item } from './record-processor.js';
import { bookkeepingKey } from './split.js';
import type { ConsumerState } from './status.js';

const checkpointEvery = 1_000;
/** Positions that a consumer passes without anything to do before it says so. */
const saveIdleAfter = 20_000n;
/**
 * Where many partitions share a store: records for others that a partition passes before it says so, and positions, which
 * are bytes there. What they say must not be what keeps them talking.
 */
const saveIdleAfterShared = { records: 2_000, positions: 10_000_000n };
/** Items taken in for each flow that may run, so that a slow flow does not hold up the others at once. */
const queuedPerFlow = 16;
/** Records to be retried, at some 500 bytes of memory each; with more, the consumer takes nothing in. */
const mostRetrying = 200_000;

/**
 * Runs one handler over the flows of one partition – over all flows, where there is but one:
 *
 * 1. a record is handed out in global order, partitioned by flow (correlation id);
 * 2. it is checked against its definition, handled, and tried again by the handler's retry policy;
 * 3. when that does not help it goes to the durable retry stream, and at last to the parked stream;
 * 4. then its ticket is done, and the checkpoint follows the low-water mark of tickets.
 *
 * Handlers are called at least once for each record; what they write has the same ids each time.
 */
export class Partition implements Sink {
  readonly index: number;
  /** `starting`: it loads what is kept of it. */
  state: 'starting' | Exclude<ConsumerState, 'standby'> = 'starting';
  private mark = new LowWaterMark(0n);
  private saved = 0n;
  private finishedSinceSaved = false;
  private passedSinceSaved = 0;
  private saving = false;
  private readonly stopping = new AbortController();
  private readonly mostQueued: number;
  private readonly flows: Flows<Item>;
  private readonly checkpoints: Checkpoints;
  private readonly retries: Retries;
  private readonly parked: Parked;
  private readonly processor: RecordProcessor;
  private readonly standing: ReturnType<typeof openStanding>;
  /** Where records that come may have been handled while flows were split differently. */
  private earlier: EarlierBooks | undefined;
  private checkpointTimer: NodeJS.Timeout | undefined;
  private halted: Promise<void> | undefined;

  constructor(private readonly parts: PartitionParts) {
    const { store, handler, instance, index, split, lease, isPaused, now, log, trace, views } = parts;
    const { concurrency, strictOrder } = handler;
    const { signal } = this.stopping;
    // Every flow that waits listens to it.
    setMaxListeners(0, signal);
    const key = bookkeepingKey(handler, index, split);
    this.index = index;
    this.mostQueued = concurrency * queuedPerFlow;
    this.checkpoints = new Checkpoints(store, key, signal, lease);
    this.parked = new Parked(store, key, signal, now, lease);
    this.retries = new Retries(store, key, strictOrder, now, signal, (entry) => this.handOutAgain(entry), lease);
    const access = new StreamAccess(store, handler, views);
    const fail = (error: unknown) => this.fail(error);
    this.standing = openStanding({ access, signal, now, isPaused, fail, lease });
    this.processor = new RecordProcessor({
      handler,
      handle: instance.handle as Handle<RecordedEvent, RecordContext>,
      access,
      retries: this.retries,
      parked: this.parked,
      signal,
      lease,
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

  /** Other processes may have it at other times. */
  get isShared(): boolean {
    return this.parts.lease !== undefined;
  }

  /** Every record up to here is done with. */
  get position(): bigint {
    return this.mark.position;
  }

  get handled(): number {
    return this.processor.handled;
  }

  get waiting(): number {
    return this.flows.size;
  }

  get retrying(): number {
    return this.retries.size;
  }

  get parkedRecords(): number {
    return this.parked.size;
  }

  get lastError(): FailedTry | undefined {
    return this.processor.lastError;
  }

  /**
   * Loads what is kept of the partition, and waits for a store that is away; with a lease it takes over from whoever had it.
   * False when it is stopped, or loses its lease, before.
   */
  async load(): Promise<boolean> {
    const { signal } = this.stopping;
    let position: bigint | undefined;
    const load = async () => {
      position ??= await this.loadBookkeeping();
      await this.parts.instance.start?.(this.standing as never);
      this.mark = new LowWaterMark(position);
      this.saved = position;
      return true;
    };
    try {
      return (await whenThere(load, signal)) === true && !signal.aborted;
    } catch (error) {
      if (error instanceof LeaseLost) return false;
      throw error;
    }
  }

  /** Begins to hand out. */
  run(): void {
    this.state = 'running';
    this.retries.start();
    this.checkpointTimer = setInterval(() => void this.checkpoint(), checkpointEvery);
  }

  /** Hands out nothing more until `release`; what is being handled is finished. */
  hold(): void {
    if (this.state !== 'running') return;
    this.state = 'paused';
    this.flows.pause();
  }

  /** Goes on where it was. */
  release(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    this.flows.resume();
  }

  /** Takes in nothing more, finishes what is being handled, saves the checkpoint. It is not started again. */
  async drain(): Promise<void> {
    await this.halt();
    if (this.state === 'running' || this.state === 'paused') await this.checkpoint();
    this.state = 'stopped';
  }

  /** Resolves when another record may be taken in, or the partition stops; undefined where one may be taken in now. */
  room(): Promise<void> | undefined {
    return this.flows.size >= this.mostQueued || this.isFull() ? this.waitForRoom() : undefined;
  }

  add(record: RecordedEvent, flow: string): void {
    if (this.earlier?.isDone(flow, record.position)) {
      this.finishedSinceSaved = true;
      return;
    }
    this.flows.add(flow, { record, ticket: this.mark.take(record.position) });
  }

  pass(position: bigint, others: number): void {
    this.mark.pass(position);
    this.passedSinceSaved += others;
  }

  listParked(): readonly RecordParked[] {
    return this.parked.list();
  }

  listArchived(): readonly ArchivedRecord[] {
    return this.parked.listArchived();
  }

  async redrive(record: Pick<RecordRef, 'stream' | 'id'>): Promise<boolean> {
    // Scheduled first: killed in between, the record is tried again rather than forgotten.
    const redriven = await this.parked.release(record, 'redriven', (parked) =>
      this.retries.schedule({ ...parked, tries: [], dueAt: this.parts.now() }),
    );
    return redriven !== undefined;
  }

  async archive(record: Pick<RecordRef, 'stream' | 'id'>): Promise<boolean> {
    const parked = await this.parked.release(record, 'archived');
    if (parked === undefined) return false;
    this.retries.unblock(parked);
    return true;
  }

  /** Does what an operator wants of records that are here, parked as they were when that was asked for. */
  async follow({ how, parkings }: ParkedRequest): Promise<void> {
    if (this.state !== 'running' && this.state !== 'paused') return;
    const records = parkings.flatMap((parking) => this.parked.parkedBy(parking) ?? []);
    try {
      await Promise.all(records.map((record) => this[how](record)));
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    // Whoever has the lease now goes on; this process hears of it.
    if (error instanceof LeaseLost) return;
    // An outage while stopping: what is not done is handed out again after a restart.
    if (this.stopping.signal.aborted && error instanceof StoreUnavailable) return;
    if (this.state === 'failed') return;
    const { handler, log, now } = this.parts;
    this.state = 'failed';
    this.processor.lastError = { at: now(), error: messageOf(error) };
    log.stopped(handler.name, error);
    this.halt().catch((failure: unknown) => log.stopped(handler.name, failure));
  }

  private async loadBookkeeping(): Promise<bigint> {
    const { checkpoints, parked, retries, index } = this;
    const { store, handler, split, lease, now } = this.parts;
    const saved = await checkpoints.load();
    await parked.load();
    await retries.load(parked.list());
    if (handler.partitioned && (saved ?? 0n) < split.since) {
      this.earlier = await EarlierBooks.load(store, handler, split.before);
    }
    const position = saved ?? this.earlier?.position ?? 0n;
    if (saved === undefined && this.earlier !== undefined) {
      const isMine = (flow: string) => partitionOf(flow, split.count) === index;
      await this.earlier.adopt({ isMine, parked, retries, lease, now, signal: this.stopping.signal });
      // Only now is it begun: killed before, it adopts again. Where there is a lease, taking over says so.
      if (lease === undefined) await checkpoints.save(position);
    }
    return lease === undefined ? position : checkpoints.takeOver(lease.epoch, position);
  }

  private halt(): Promise<void> {
    this.halted ??= this.stopHandingOut();
    return this.halted;
  }

  private async stopHandingOut(): Promise<void> {
    this.stopping.abort();
    this.retries.stop();
    clearInterval(this.checkpointTimer);
    await Promise.all([this.flows.close(), this.parts.leave(this)]);
    await this.parts.instance.stop?.();
    // What was deferred and has just settled counts.
    await Promise.resolve();
  }

  private async waitForRoom(): Promise<void> {
    const { signal } = this.stopping;
    if (this.flows.size >= this.mostQueued) await this.flows.below(this.mostQueued);
    while (this.isFull() && !signal.aborted) await pause(20, signal);
  }

  private isFull(): boolean {
    return this.processor.deferred >= this.parts.handler.mostDeferred || this.retries.size >= mostRetrying;
  }

  private async handOutAgain(entry: RetryScheduled): Promise<void> {
    const { signal } = this.stopping;
    for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestHold)) {
      // Above what is taken in, so that a backlog does not keep retries out.
      await this.flows.below(this.mostQueued + this.parts.handler.concurrency);
      try {
        const record = await findRecord(this.parts.store, entry.record);
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

  private async checkpoint(): Promise<void> {
    const { position } = this.mark;
    if (!this.isWorthSaving(position) || (this.saving && !this.stopping.signal.aborted)) return;
    this.saving = true;
    this.saved = position;
    this.finishedSinceSaved = false;
    this.passedSinceSaved = 0;
    try {
      await this.checkpoints.save(position);
    } catch (error) {
      this.fail(error);
    } finally {
      this.saving = false;
    }
  }

  /** Checkpoints are records too: two idle consumers must not keep each other awake with them. */
  private isWorthSaving(position: bigint): boolean {
    if (this.finishedSinceSaved) return position !== this.saved;
    const passed = position - this.saved;
    if (this.parts.lease === undefined) return passed >= saveIdleAfter;
    const { records, positions } = saveIdleAfterShared;
    return passed >= positions || (passed > 0n && this.passedSinceSaved >= records);
  }
}
