import type { EventStore } from '#libs/store/port';
import type { Lease } from '../lease/lease.js';
import type { ArchivedRecord } from '../parking/parked-book.js';
import { readRequests, type ParkedRequest } from '../parking/parked-request.js';
import type { RecordParked, RecordRef } from '../streams.js';
import type { AnyHandler, HandlerInstance } from '../topology/handler.js';
import type { ViewNames } from '../view/view-names.js';
import type { WorkTrace } from '../work-trace.js';
import { Control } from './control.js';
import { whenThere } from './outage.js';
import { Partition } from './partition.js';
import { Receiver, type Sink } from './receiver.js';
import type { Split } from './split.js';
import type { ConsumerLog, ConsumerState, ConsumerStatus } from './status.js';

/** What a consumer is made from. */
export interface ConsumerParts {
  readonly store: EventStore;
  readonly handler: AnyHandler;
  /** Makes the handler anew, for each partition. */
  readonly create: () => HandlerInstance<never, never, never>;
  /** Into how many partitions flows are split in this store. */
  readonly partitions: number;
  readonly now: () => number;
  readonly log: ConsumerLog;
  readonly trace: WorkTrace;
  readonly views: ViewNames | undefined;
}

/** A partition to be started, with its lease where processes share the store. */
export interface Assigned {
  readonly index: number;
  readonly split: Split;
  readonly lease: Lease | undefined;
}

/** What of a handler runs in this process: some of its partitions, or the one that there is. */
export class Consumer {
  private partitions: readonly Partition[] = [];
  /** By partitions that are not here any more. */
  private handledBefore = 0;
  private wasStarted = false;
  private readonly stopping = new AbortController();
  private readonly receiver: Receiver;
  private readonly control: Control;

  constructor(private readonly parts: ConsumerParts) {
    const { store, handler, partitions, now } = parts;
    this.receiver = new Receiver(store, handler, partitions);
    this.control = new Control(store, handler.name, this.stopping.signal, now);
  }

  get name(): string {
    return this.parts.handler.name;
  }

  get handler(): AnyHandler {
    return this.parts.handler;
  }

  status(): ConsumerStatus {
    const { partitions } = this;
    const sum = (count: (partition: Partition) => number) => partitions.reduce((all, one) => all + count(one), 0);
    const errors = partitions.flatMap(({ lastError }) => lastError ?? []);
    const [first, ...others] = partitions.map(({ position }) => position);
    return {
      name: this.name,
      role: this.handler.role,
      state: this.state(),
      partitions: partitions.map(({ index }) => index),
      position: others.reduce((least, position) => (position < least ? position : least), first ?? 0n),
      handled: this.handledBefore + sum(({ handled }) => handled),
      waiting: sum(({ waiting }) => waiting),
      retrying: sum(({ retrying }) => retrying),
      parked: sum(({ parkedRecords }) => parkedRecords),
      lastError: errors.sort((one, other) => one.at - other.at).at(-1),
      pausedAt: this.control.pausedAt,
    };
  }

  /** How far one partition is; undefined where it is not here. */
  positionOf(index: number): bigint | undefined {
    return this.partitions.find((partition) => partition.index === index)?.position;
  }

  /** Resolves when the partitions have their checkpoints and begin to receive; waits where the store is away. */
  async start(assigned: readonly Assigned[]): Promise<void> {
    this.wasStarted = true;
    const { store, handler, create, now, log, trace, views } = this.parts;
    const added = assigned.map(({ index, split, lease }) => {
      const leave = (sink: Sink) => this.receiver.remove(sink);
      const isPaused = () => this.control.pausedAt !== undefined;
      return new Partition({
        store,
        handler,
        instance: create(),
        index,
        split,
        lease,
        isPaused,
        now,
        log,
        trace,
        views,
        leave,
      });
    });
    this.partitions = [...this.partitions, ...added].sort((one, other) => one.index - other.index);
    await this.loadControl();
    const loaded = await Promise.all(added.map((partition) => this.load(partition)));
    const running = added.filter((_, index) => loaded[index]);
    for (const partition of running) {
      partition.run();
      if (this.control.pausedAt !== undefined) partition.hold();
    }
    this.receiver.add(running);
    await this.catchUpWithRequests(running);
  }

  /** Takes in nothing more, finishes what is being handled, saves the checkpoints. What is drained is not started again. */
  async drain(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.partitions.map((partition) => partition.drain()));
  }

  /** Drains one partition, which then is not this process's any more. */
  async release(index: number): Promise<void> {
    const partition = this.partitions.find((one) => one.index === index);
    if (partition === undefined) return;
    await partition.drain();
    this.partitions = this.partitions.filter((one) => one !== partition);
    this.handledBefore += partition.handled;
  }

  /**
   * Hands out nothing more until `resume`, also after a restart and in all processes; what is being handled is finished.
   * Resolves when the pause is durable. Does nothing where the consumer has failed or was not started.
   */
  async pause(): Promise<void> {
    if (!this.canTurn()) return;
    for (const partition of this.partitions) partition.hold();
    await this.control.pause();
    this.followControl();
  }

  /** Goes on where it was. Resolves when that is durable. */
  async resume(): Promise<void> {
    if (!this.canTurn()) return;
    await this.control.resume();
    this.followControl();
  }

  /** Reads whether another process has paused or resumed the consumer. */
  async controlled(): Promise<void> {
    await this.loadControl();
    this.followControl();
  }

  /** Does what an operator wants of the parked records that are here. Repeated, it changes nothing more. */
  async follow(request: ParkedRequest): Promise<void> {
    await Promise.all(this.partitions.map((partition) => partition.follow(request)));
  }

  listParked(): readonly RecordParked[] {
    return this.partitions.flatMap((partition) => partition.listParked());
  }

  /** The records that were given up for good. */
  listArchived(): readonly ArchivedRecord[] {
    return this.partitions.flatMap((partition) => partition.listArchived());
  }

  /** Hands a parked record out again. False when it is not parked. */
  async redrive(record: Pick<RecordRef, 'stream' | 'id'>): Promise<boolean> {
    for (const partition of this.partitions) if (await partition.redrive(record)) return true;
    return false;
  }

  /** Gives a parked record up for good. False when it is not parked. */
  async archive(record: Pick<RecordRef, 'stream' | 'id'>): Promise<boolean> {
    for (const partition of this.partitions) if (await partition.archive(record)) return true;
    return false;
  }

  /** One partition that cannot be loaded keeps none of the others from running, where there are others. */
  private async load(partition: Partition): Promise<boolean> {
    try {
      return await partition.load();
    } catch (error) {
      if (!partition.isShared) throw error;
      partition.fail(error);
      return false;
    }
  }

  private state(): ConsumerState {
    const { partitions } = this;
    const states = partitions.map(({ state }) => state);
    // One that does not run is told before those that do.
    const told = (['failed', 'stopped', 'paused', 'running'] as const).find((state) => states.includes(state));
    if (told !== undefined) return told;
    const mayRun = this.wasStarted && !this.stopping.signal.aborted;
    return mayRun && partitions.every(({ isShared }) => isShared) ? 'standby' : 'stopped';
  }

  private canTurn(): boolean {
    const state = this.state();
    return state !== 'failed' && state !== 'stopped';
  }

  private followControl(): void {
    const isPaused = this.control.pausedAt !== undefined;
    for (const partition of this.partitions) {
      if (isPaused) partition.hold();
      else partition.release();
    }
  }

  private async loadControl(): Promise<void> {
    await whenThere(() => this.control.load(), this.stopping.signal);
  }

  /**
   * What was asked for before the partitions were here, also by processes that shared the store before. What is asked for
   * from now on comes by `follow`.
   */
  private async catchUpWithRequests(partitions: readonly Partition[]): Promise<void> {
    const waiting = partitions.filter(({ parkedRecords }) => parkedRecords > 0);
    if (waiting.length === 0) return;
    const { store } = this.parts;
    const requests = await whenThere(() => readRequests(store, this.name), this.stopping.signal);
    for (const request of requests ?? []) await Promise.all(waiting.map((partition) => partition.follow(request)));
  }
}
