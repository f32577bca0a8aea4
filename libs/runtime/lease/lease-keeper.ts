import { categoryOf, newId, parse, streamName, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable, WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { isOutage, longestHold, whenThere } from '../consumer/outage.js';
import { pause } from '../consumer/pause.js';
import { splitStream, type Split } from '../consumer/split.js';
import { runtimeControls, runtimeInstallations, runtimeLeases, runtimeMembers, runtimeRequests } from '../streams.js';
import { LeaseBook, type Claim } from './lease-book.js';
import { LeaseLost, type Lease } from './lease.js';
import { agreeOnSplit, PartitionsDiffer } from './fix-partitions.js';
import type { Sharing, SharingOptions } from './sharing.js';
import { handlerGroups, slotOf, type HandlerGroup, type Slot } from './slot.js';
import { toldBy } from './told-by.js';

/** Signs of life in the time that a lease is good for without one. */
const beatsEach = 3;
const checksEach = 10;
/** The part of that time by which a holder is more careful than the others. */
const carefulness = 0.1;
/** What operators want of consumers. */
const steering: readonly string[] = [runtimeControls.category, runtimeRequests.category];
const telling = [runtimeMembers, runtimeLeases, runtimeInstallations].map(({ category }) => category);
const keptBeats = 2;
const keptLeases = 5;
/** A process that has not said anything for a day is not asked for any more; in seconds. */
const forgottenAfter = 86_400;

/** What the keeper has others do. */
export interface LeaseUse {
  readonly groups: readonly HandlerGroup[];
  /** Starts what belongs to the slots; resolves when it runs. */
  start(leases: readonly Lease[], split: Split): Promise<void>;
  /** Ends what belongs to the slot, and saves how far it is where the lease is good; resolves when nothing of it runs. */
  end(slot: Slot): Promise<void>;
  /** An operator has paused or resumed a consumer, or wants something of its parked records. */
  steered(record: RecordedEvent): Promise<void>;
}

/** Takes part in sharing a store: gives signs of life, takes slots, gives them up, and loses them. */
export class LeaseKeeper {
  private readonly stopping = new AbortController();
  private readonly stream: string;
  private readonly taking = new Set<Slot>();
  private readonly releasing = new Set<Slot>();
  private readonly tasks = new Set<Promise<void>>();
  private book: LeaseBook | undefined;
  private noted: Split | undefined;
  /** Flows are split differently from now on. */
  private superseded: PartitionsDiffer | undefined;
  private beats = 0;
  private revision: bigint | 'noStream' = 'noStream';
  private beating: Promise<void> | undefined;
  /** By the wall clock: unlike the monotonic one it goes on while a machine is suspended. */
  private lastSignAt = 0;
  private timers: readonly NodeJS.Timeout[] = [];
  private following: Promise<void> = Promise.resolve();
  private joined: () => void = () => undefined;

  constructor(
    private readonly store: EventStore,
    private readonly options: SharingOptions,
    private readonly use: LeaseUse,
  ) {
    this.stream = streamName(runtimeMembers, options.member);
  }

  /**
   * Resolves when this process is one of the members and has its first slots; waits where the store is away.
   * @throws PartitionsDiffer
   */
  async start(): Promise<void> {
    const { ttl } = this.options;
    const opened = await whenThere(() => this.open(), this.stopping.signal);
    if (opened === undefined) return;
    const hasJoined = new Promise<void>((resolve) => (this.joined = resolve));
    this.book = opened.book;
    this.noted = opened.split;
    this.following = this.follow(opened.after);
    this.timers = [setInterval(() => this.beat(), ttl / beatsEach), setInterval(() => this.act(), ttl / checksEach)];
    this.beat();
    await hasJoined;
  }

  /** Drains and releases everything, so that others need not wait. */
  async stop(): Promise<void> {
    const { book } = this;
    if (book !== undefined && !this.stopping.signal.aborted) {
      book.leave();
      // The others begin to share what is going to be free.
      this.beat();
      await Promise.all(book.slots().map((slot) => this.run(() => this.release(slot))));
      while (this.tasks.size > 0) await Promise.all(this.tasks);
      await this.say({ type: 'runtime.member-left.v1', data: {} });
    }
    for (const timer of this.timers) clearInterval(timer);
    this.stopping.abort();
    this.joined();
    await this.following;
  }

  sharing(): Sharing {
    const { member: me, partitions } = this.options;
    const { book } = this;
    const slots = handlerGroups.flatMap((group) =>
      Array.from({ length: partitions }, (_, index) => slotOf(group, index)),
    );
    const members = (book?.members() ?? []).map((member) => ({
      ...member,
      slots: slots.filter((slot) => book?.holderOf(slot) === member.id),
    }));
    return { me, partitions, held: book?.slots() ?? [], members };
  }

  /** How flows are split; undefined until that is known. */
  get split(): Split | undefined {
    return this.noted;
  }

  /** Undefined while it is a member in good standing; else what is wrong. */
  get trouble(): string | undefined {
    const { book, superseded } = this;
    if (superseded !== undefined) return superseded.message;
    return book?.isMember(performance.now()) ? undefined : 'not one of the members: no sign of life reaches the store';
  }

  private async open(): Promise<
    { readonly book: LeaseBook; readonly split: Split; readonly after: bigint } | undefined
  > {
    const { store, options, use } = this;
    const { partitions, ttl, member: me, predecessor } = options;
    const agreed = await agreeOnSplit(store, options, this.stopping.signal);
    if (agreed === undefined) return undefined;
    await store.setStreamMetadata(this.stream, { maxCount: keptBeats, maxAge: forgottenAfter });
    const startedAt = performance.now();
    const margin = ttl * carefulness;
    const book = new LeaseBook({ me, groups: use.groups, partitions, ttl, margin, startedAt, predecessor });
    for (const group of handlerGroups) {
      for (let index = 0; index < partitions; index += 1) {
        const stream = streamName(runtimeLeases, slotOf(group, index));
        for await (const record of store.readStream(stream, { direction: 'backwards', limit: 1 })) {
          const told = toldBy(record);
          if (told !== undefined) book.told(told, startedAt);
        }
      }
    }
    return { book, ...agreed };
  }

  private beat(): void {
    this.beating ??= this.giveSign().finally(() => {
      this.beating = undefined;
      this.act();
    });
  }

  private async giveSign(): Promise<void> {
    const book = this.book!;
    const beat = (this.beats += 1);
    const wall = Date.now();
    book.sent(beat, performance.now());
    const data = { beat, groups: book.groups };
    if (!(await this.say({ type: 'runtime.member-alive.v1', data }))) return;
    if (this.isSuspended()) book.lapse();
    book.acknowledged(beat, performance.now());
    this.lastSignAt = wall;
  }

  /** Appends to the stream of this process. False where the store does not take it. */
  private async say(event: { readonly type: string; readonly data: unknown }): Promise<boolean> {
    for (;;) {
      try {
        const { revision } = await this.store.append(this.stream, this.revision, [{ id: newId(), ...event }]);
        this.revision = revision;
        return true;
      } catch (error) {
        if (error instanceof WrongExpectedRevision) {
          // One that was not answered has arrived all the same.
          this.revision = error.actual;
          continue;
        }
        if (!(error instanceof StoreUnavailable)) this.options.log.failed(error);
        return false;
      }
    }
  }

  private async follow(after: bigint): Promise<void> {
    const { signal } = this.stopping;
    const filter = { categories: [...telling, ...steering] };
    let position = after;
    for (let wait = 50; !signal.aborted; wait = Math.min(wait * 2, longestHold)) {
      try {
        for await (const { events, checkpoint } of this.store.subscribeToAll({ after: position, filter, signal })) {
          for (const record of events) this.see(record);
          position = checkpoint;
          wait = 50;
          if (events.length > 0) this.act();
        }
      } catch (error) {
        if (!isOutage(error) && !signal.aborted) this.options.log.failed(error);
      }
      await pause(wait, signal);
    }
  }

  private see(record: RecordedEvent): void {
    if (steering.includes(categoryOf(record.stream))) {
      void this.run(() => this.use.steered(record));
      return;
    }
    if (record.stream === splitStream) {
      void this.run(async () => this.heed(record));
      return;
    }
    const told = toldBy(record);
    if (told !== undefined) this.book!.told(told, performance.now());
  }

  private heed(record: RecordedEvent): void {
    const { data } = parse(runtimeInstallations, record);
    if ('count' in data && data.count !== this.options.partitions) this.giveUp(data.count);
  }

  /** Others have seen no sign of life of this process, and split the flows differently. */
  private giveUp(count: number): void {
    const book = this.book!;
    this.superseded ??= new PartitionsDiffer(count, this.options.partitions);
    this.options.log.failed(this.superseded);
    for (const timer of this.timers) clearInterval(timer);
    book.leave();
    book.lapse();
    this.act();
    this.joined();
  }

  /** Does what is to be done now. */
  private act(): void {
    const book = this.book!;
    if (this.stopping.signal.aborted) return;
    if (this.isSuspended()) book.lapse();
    const now = performance.now();
    const lost = book.takeLost(now);
    if (lost.length > 0) this.options.log.leases('lost', lost);
    for (const slot of lost) void this.run(() => this.abandon(slot));
    const { take, release } = book.wishes(now, this.taking, this.releasing);
    for (const slot of release) void this.run(() => this.release(slot));
    if (take.length > 0) void this.run(() => this.take(take));
    if (book.isMember(now) && this.taking.size === 0) this.joined();
  }

  private async take(claims: readonly Claim[]): Promise<void> {
    for (const { slot } of claims) this.taking.add(slot);
    try {
      const appended = await Promise.all(claims.map((claim) => this.appendTaken(claim)));
      const leases = appended.filter((lease) => lease !== undefined);
      const slots = leases.map(({ slot }) => slot);
      if (slots.length > 0) this.options.log.leases('taken', slots);
      await this.use.start(leases, this.noted!);
      if (leases.length < claims.length) await this.hesitate();
    } finally {
      for (const { slot } of claims) this.taking.delete(slot);
    }
  }

  private async appendTaken(claim: Claim): Promise<Lease | undefined> {
    const { slot, expected, epoch } = claim;
    const stream = streamName(runtimeLeases, slot);
    const event = { id: newId(), type: 'runtime.lease-taken.v1', data: { holder: this.options.member, epoch } };
    try {
      if (expected === 'noStream') await this.store.setStreamMetadata(stream, { maxCount: keptLeases });
      const { revision } = await this.store.append(stream, expected, [event]);
      return this.book!.took(claim, revision, performance.now()) ? this.leaseOf(slot, epoch) : undefined;
    } catch (error) {
      // Another process was quicker, or nobody knows: it will be told.
      if (!(error instanceof WrongExpectedRevision) && !isOutage(error)) throw error;
      return undefined;
    }
  }

  private leaseOf(slot: Slot, epoch: number): Lease {
    const book = this.book!;
    return {
      slot,
      epoch,
      check: () => {
        if (book.holds(slot, epoch, performance.now()) && !this.isSuspended()) return;
        setImmediate(() => this.act());
        throw new LeaseLost(slot);
      },
      lose: () => {
        if (!book.holds(slot, epoch, performance.now())) return;
        book.lose(slot);
        this.act();
      },
    };
  }

  private async release(slot: Slot): Promise<void> {
    if (this.releasing.has(slot)) return;
    this.releasing.add(slot);
    try {
      await this.use.end(slot);
      const claim = this.book!.letGo(slot);
      if (claim === undefined) return;
      const { expected, epoch } = claim;
      const event = { id: newId(), type: 'runtime.lease-released.v1', data: { holder: this.options.member, epoch } };
      await this.store.append(streamName(runtimeLeases, slot), expected, [event]);
      this.options.log.leases('released', [slot]);
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision) && !isOutage(error)) throw error;
      await this.hesitate();
    } finally {
      this.releasing.delete(slot);
    }
  }

  /** What did not succeed is not tried again before something may have changed. */
  private hesitate(): Promise<void> {
    return pause(this.options.ttl / checksEach, this.stopping.signal);
  }

  private async abandon(slot: Slot): Promise<void> {
    if (this.releasing.has(slot)) return;
    this.releasing.add(slot);
    try {
      await this.use.end(slot);
    } finally {
      this.releasing.delete(slot);
    }
  }

  /** Runs something that takes a while, and looks again after it. */
  private run(task: () => Promise<void>): Promise<void> {
    const running = task()
      .catch((error: unknown) => {
        this.options.log.failed(error);
        return this.hesitate();
      })
      .finally(() => {
        this.tasks.delete(running);
        this.act();
      });
    this.tasks.add(running);
    return running;
  }

  private isSuspended(): boolean {
    const { ttl } = this.options;
    return this.lastSignAt > 0 && Date.now() - this.lastSignAt >= ttl * (1 - carefulness);
  }
}
