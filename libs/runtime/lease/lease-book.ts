import { handlerGroups, partsOf, slotOf, type HandlerGroup, type Slot } from './slot.js';

/** What processes tell each other, as it is read from the store, in its order. */
export type Told =
  | {
      readonly type: 'alive';
      readonly member: string;
      readonly beat: number;
      readonly groups: readonly HandlerGroup[];
    }
  | { readonly type: 'left'; readonly member: string }
  | {
      readonly type: 'taken' | 'released';
      readonly slot: Slot;
      readonly holder: string;
      readonly epoch: number;
      readonly revision: bigint;
    };

/** An append to a slot's stream: it succeeds for one process only. */
export interface Claim {
  readonly slot: Slot;
  readonly expected: bigint | 'noStream';
  readonly epoch: number;
  /** How often the process had lapsed when it made the claim. */
  readonly lapses: number;
}

export interface Wishes {
  readonly take: readonly Claim[];
  readonly release: readonly Slot[];
}

/** A process that shares the store. */
export interface Member {
  readonly id: string;
  readonly groups: readonly HandlerGroup[];
}

export interface LeaseBookOptions {
  readonly me: string;
  readonly groups: readonly HandlerGroup[];
  readonly partitions: number;
  /** How long a lease is good for without a sign of life, in milliseconds. */
  readonly ttl: number;
  /** So much earlier its holder gives it up, in milliseconds. */
  readonly margin: number;
  /** When this process began to be told everything. */
  readonly startedAt: number;
  /** A process that is known to be dead. */
  readonly predecessor?: string | undefined;
}

interface Known {
  readonly revision: bigint;
  readonly epoch: number;
  /** Undefined: nobody. */
  readonly holder: string | undefined;
}

/**
 * What one process knows of who has which slot, and what it wants to do about it. Pure: times are given, on this
 * process's monotonic clock, in milliseconds.
 *
 * Two rules keep two processes from having one slot at a time, without comparing their clocks:
 *
 * - A holder counts from when it *sent* its last sign of life that the store took. Once that is `ttl - margin` ago it has
 *   lost all its leases, for good; a later sign of life gives none of them back.
 * - Another process takes a slot only when it has been told a sign of life of its own that it sent `ttl` or more after it
 *   was told the holder's last. The store tells everybody everything in one order: had the holder renewed in time, that
 *   would have been told before.
 */
export class LeaseBook {
  private validUntil = -Infinity;
  private lapses = 0;
  private leaving = false;
  /** When beats were sent that have not been told yet. */
  private readonly sentAt = new Map<number, number>();
  /** When the last own beat was sent of those that have been told. */
  private confirmed = -Infinity;
  private readonly others = new Map<string, { readonly groups: readonly HandlerGroup[]; readonly seen: number }>();
  private readonly left = new Set<string>();
  private readonly leases = new Map<Slot, Known>();
  /** Slots of this process, with their epochs. */
  private readonly held = new Map<Slot, number>();
  private lost: Slot[] = [];

  constructor(private readonly options: LeaseBookOptions) {}

  /** The groups whose slots it wants. */
  get groups(): readonly HandlerGroup[] {
    return this.leaving ? [] : this.options.groups;
  }

  /** The store has taken a sign of life of this process lately, and it was told one of its own. */
  isMember(now: number): boolean {
    return this.confirmed > -Infinity && now < this.validUntil;
  }

  /** Wants no slots any more. */
  leave(): void {
    this.leaving = true;
  }

  sent(beat: number, now: number): void {
    this.sentAt.set(beat, now);
  }

  /** The store has taken the beat. */
  acknowledged(beat: number, now: number): void {
    this.expire(now);
    const sentAt = this.sentAt.get(beat) ?? -Infinity;
    this.validUntil = Math.max(this.validUntil, sentAt + this.options.ttl - this.options.margin);
  }

  told(told: Told, now: number): void {
    const { me } = this.options;
    switch (told.type) {
      case 'alive':
        if (told.member === me) this.confirm(told.beat);
        else this.others.set(told.member, { groups: told.groups, seen: now });
        return;
      case 'left':
        this.others.delete(told.member);
        this.left.add(told.member);
        return;
      case 'taken':
      case 'released': {
        const { slot, revision, epoch, holder } = told;
        if (revision <= (this.leases.get(slot)?.revision ?? -1n)) return;
        const isMine = told.type === 'taken' && holder === me && this.held.get(slot) === epoch;
        this.leases.set(slot, { revision, epoch, holder: told.type === 'taken' ? holder : undefined });
        if (!isMine) this.lose(slot);
      }
    }
  }

  /** True while nobody else can have it. */
  holds(slot: Slot, epoch: number, now: number): boolean {
    return now < this.validUntil && this.held.get(slot) === epoch;
  }

  /** The slots that it has. */
  slots(): readonly Slot[] {
    return [...this.held.keys()].sort(bySlot);
  }

  /** Another process shows to have taken it. */
  lose(slot: Slot): void {
    if (this.held.delete(slot)) this.lost.push(slot);
  }

  /** Everything is lost: for so long there was no sign of life. */
  lapse(): void {
    this.lapses += 1;
    this.validUntil = -Infinity;
    for (const slot of this.slots()) this.lose(slot);
  }

  /** What it has lost and not been asked for yet. */
  takeLost(now: number): readonly Slot[] {
    this.expire(now);
    return this.lost.splice(0);
  }

  /** The claim was appended at this revision. False where that came too late. */
  took({ slot, epoch, lapses }: Claim, revision: bigint, now: number): boolean {
    this.expire(now);
    const known = this.leases.get(slot);
    if (known === undefined || known.revision < revision) this.leases.set(slot, { revision, epoch, holder: this.me });
    else if (known.revision > revision) return false;
    if (lapses !== this.lapses || now >= this.validUntil) return false;
    this.held.set(slot, epoch);
    return true;
  }

  /** What to append to give the slot up; it is not held any more. Undefined where it is not this process's. */
  letGo(slot: Slot): Claim | undefined {
    this.held.delete(slot);
    const known = this.leases.get(slot);
    if (known?.holder !== this.me) return undefined;
    return { slot, expected: known.revision, epoch: known.epoch, lapses: this.lapses };
  }

  /** Those that are alive as far as is known, this process among them; who only holds slots counts, too. */
  members(): readonly Member[] {
    const found = new Map<string, Set<HandlerGroup>>();
    found.set(this.me, new Set(this.groups));
    for (const [id, { groups }] of this.others) if (!this.isGone(id)) found.set(id, new Set(groups));
    for (const [slot, { holder }] of this.leases) {
      if (holder === undefined || found.has(holder) || this.isGone(holder)) continue;
      found.set(holder, new Set(this.groupsHeldBy(holder).add(partsOf(slot).group)));
    }
    return [...found].map(([id, groups]) => ({ id, groups: [...groups] })).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Who has the slot, be that process alive or not. */
  holderOf(slot: Slot): string | undefined {
    return this.leases.get(slot)?.holder;
  }

  /**
   * What to do now. Each member has its share of a group's slots, which differ by one at most.
   * @param taking slots that it is about to take
   * @param releasing slots that it is about to give up, or still busy with after it has lost them
   */
  wishes(now: number, taking: ReadonlySet<Slot>, releasing: ReadonlySet<Slot>): Wishes {
    const take: Claim[] = [];
    const release: Slot[] = [];
    this.expire(now);
    if (!this.isMember(now)) return { take, release };
    const members = this.members();
    for (const group of this.groups) {
      const { from, size } = this.shareOf(group, members);
      const all = Array.from({ length: this.options.partitions }, (_, index) => slotOf(group, index));
      // From the own share on, so that processes that start together do not take the same ones.
      const inOrder = [...all.slice(from), ...all.slice(0, from)];
      const kept = inOrder.filter((slot) => (this.held.has(slot) || taking.has(slot)) && !releasing.has(slot));
      release.push(...kept.slice(size).filter((slot) => !taking.has(slot)));
      const free = inOrder.filter((slot) => !kept.includes(slot) && !releasing.has(slot) && this.isFree(slot));
      const wanted = Math.max(size - kept.length, 0);
      take.push(...free.slice(0, wanted).map((slot) => this.claim(slot)));
      // What the store says is this process's, although it has lost it.
      release.push(...free.slice(wanted).filter((slot) => this.holderOf(slot) === this.me));
    }
    return { take, release };
  }

  private get me(): string {
    return this.options.me;
  }

  private expire(now: number): void {
    if (now >= this.validUntil && this.validUntil > -Infinity) this.lapse();
  }

  private confirm(beat: number): void {
    const sentAt = this.sentAt.get(beat);
    if (sentAt === undefined) return;
    this.confirmed = Math.max(this.confirmed, sentAt);
    for (const earlier of this.sentAt.keys()) if (earlier < beat) this.sentAt.delete(earlier);
  }

  private isGone(id: string): boolean {
    if (id === this.me) return false;
    if (id === this.options.predecessor || this.left.has(id)) return true;
    const seen = this.others.get(id)?.seen ?? this.options.startedAt;
    return this.confirmed >= seen + this.options.ttl;
  }

  /** Nobody has it, or somebody who is dead, or this process, which has lost it. */
  private isFree(slot: Slot): boolean {
    const holder = this.holderOf(slot);
    return holder === undefined || holder === this.me || this.isGone(holder);
  }

  private claim(slot: Slot): Claim {
    const known = this.leases.get(slot);
    return {
      slot,
      expected: known?.revision ?? 'noStream',
      epoch: (known?.epoch ?? 0) + 1,
      lapses: this.lapses,
    };
  }

  private groupsHeldBy(holder: string): Set<HandlerGroup> {
    const held = [...this.leases].filter(([, known]) => known.holder === holder);
    return new Set(held.map(([slot]) => partsOf(slot).group));
  }

  private shareOf(group: HandlerGroup, members: readonly Member[]): { readonly from: number; readonly size: number } {
    const sharing = members.filter(({ groups }) => groups.includes(group));
    const rank = sharing.findIndex(({ id }) => id === this.me);
    const { partitions } = this.options;
    const [least, rest] = [Math.floor(partitions / sharing.length), partitions % sharing.length];
    return { from: (rank * least + Math.min(rank, rest)) % partitions, size: least + (rank < rest ? 1 : 0) };
  }
}

function bySlot(one: Slot, other: Slot): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  return handlerGroups.indexOf(a.group) - handlerGroups.indexOf(b.group) || a.partition - b.partition;
}
