import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LeaseBook, type Claim, type Told } from './lease-book.js';
import { slotOf, type HandlerGroup, type Slot } from './slot.js';

const ttl = 1_000;
const margin = 100;
const none: ReadonlySet<Slot> = new Set();

function bookOf(
  me: string,
  partitions = 4,
  groups: readonly HandlerGroup[] = ['bots'],
  predecessor?: string,
): LeaseBook {
  return new LeaseBook({ me, groups, partitions, ttl, margin, startedAt: 0, predecessor });
}

/** Sends a sign of life that the store takes and tells at once. */
function sign(book: LeaseBook, me: string, beat: number, now: number): void {
  book.sent(beat, now);
  book.told({ type: 'alive', member: me, beat, groups: book.groups }, now);
  book.acknowledged(beat, now);
}

function alive(member: string, groups: readonly HandlerGroup[] = ['bots']): Told {
  return { type: 'alive', member, beat: 1, groups };
}

function taken(slot: Slot, holder: string, revision = 0n, epoch = 1): Told {
  return { type: 'taken', slot, holder, epoch, revision };
}

function wished(book: LeaseBook, now: number): { take: Slot[]; release: readonly Slot[] } {
  const { take, release } = book.wishes(now, none, none);
  return { take: take.map(({ slot }) => slot), release };
}

/** Has it take what it wants. */
function takeAll(book: LeaseBook, now: number): void {
  for (const claim of book.wishes(now, none, none).take) {
    book.took(claim, claim.expected === 'noStream' ? 0n : claim.expected + 1n, now);
  }
}

describe('a process that shares a store', () => {
  test('wants nothing before the store has taken a sign of life and told it', () => {
    const book = bookOf('a');
    book.sent(1, 0);
    book.acknowledged(1, 5);
    expect(wished(book, 5).take).toEqual([]);
    book.told({ type: 'alive', member: 'a', beat: 1, groups: ['bots'] }, 6);
    expect(wished(book, 6).take).toEqual(['bots.0', 'bots.1', 'bots.2', 'bots.3']);
  });

  test('wants its share, which differs from those of the others by one at most, and not the same slots as they', () => {
    const wishes = ['a', 'b', 'c'].map((me) => {
      const book = bookOf(me, 8);
      for (const other of ['a', 'b', 'c']) if (other !== me) book.told(alive(other), 0);
      sign(book, me, 1, 0);
      return wished(book, 0).take;
    });
    expect(wishes).toEqual([
      ['bots.0', 'bots.1', 'bots.2'],
      ['bots.3', 'bots.4', 'bots.5'],
      ['bots.6', 'bots.7'],
    ]);
  });

  test('shares with those of the same role only', () => {
    const book = bookOf('a', 2, ['bots', 'sagas']);
    book.told(alive('b', ['sagas', 'projectors']), 0);
    sign(book, 'a', 1, 0);
    expect(wished(book, 0).take).toEqual(['bots.0', 'bots.1', 'sagas.0']);
  });

  test('gives up what is above its share when another one comes', () => {
    const book = bookOf('a');
    sign(book, 'a', 1, 0);
    takeAll(book, 0);
    book.told(alive('b'), 10);
    expect(wished(book, 10)).toEqual({ take: [], release: ['bots.2', 'bots.3'] });
  });

  test('leaves alone what another one has, until a sign of its own that was sent long enough after the last of the other', () => {
    const book = bookOf('a', 1);
    book.told(taken('bots.0', 'z'), 0);
    book.told(alive('z'), 300);
    for (const [beat, now] of [300, 600, 900, 1_299].entries()) {
      sign(book, 'a', beat + 1, now);
      expect(wished(book, now).take).toEqual([]);
    }
    // Sent before, told after: the other may have given a sign in between.
    book.sent(9, 1_299);
    book.told({ type: 'alive', member: 'a', beat: 9, groups: ['bots'] }, 1_400);
    expect(wished(book, 1_400).take).toEqual([]);
    sign(book, 'a', 10, 1_400);
    expect(wished(book, 1_400).take).toEqual(['bots.0']);
  });

  test('takes at once what was left behind, be it by one that has left or by the one whose place it has', () => {
    const book = bookOf('b', 2, ['bots'], 'a');
    book.told(taken('bots.0', 'a'), 0);
    book.told(taken('bots.1', 'z'), 0);
    sign(book, 'b', 1, 0);
    expect(wished(book, 0).take).toEqual(['bots.0']);
    book.told({ type: 'left', member: 'z' }, 1);
    expect(wished(book, 1).take).toEqual(['bots.0', 'bots.1']);
  });

  test('has a slot until its last sign of life is too old, and no later one brings it back', () => {
    const book = bookOf('a', 1);
    sign(book, 'a', 1, 0);
    takeAll(book, 0);
    expect(book.holds('bots.0', 1, 899)).toBe(true);
    expect(book.holds('bots.0', 1, 900)).toBe(false);
    sign(book, 'a', 2, 901);
    expect(book.holds('bots.0', 1, 901)).toBe(false);
    expect(book.takeLost(901)).toEqual(['bots.0']);
    // It takes it anew, with the next epoch.
    const [claim] = book.wishes(901, none, none).take;
    expect(claim).toMatchObject({ slot: 'bots.0', expected: 0n, epoch: 2 });
  });

  test('counts from when a sign was sent, not from when the store has taken it', () => {
    const book = bookOf('a', 1);
    book.sent(1, 0);
    book.told({ type: 'alive', member: 'a', beat: 1, groups: ['bots'] }, 700);
    book.acknowledged(1, 700);
    takeAll(book, 700);
    expect(book.holds('bots.0', 1, 899)).toBe(true);
    expect(book.holds('bots.0', 1, 900)).toBe(false);
  });

  test('loses a slot that another one has taken', () => {
    const book = bookOf('a', 1);
    sign(book, 'a', 1, 0);
    takeAll(book, 0);
    book.told(taken('bots.0', 'a'), 1);
    expect(book.takeLost(1)).toEqual([]);
    book.told(taken('bots.0', 'b', 1n, 2), 2);
    expect(book.holds('bots.0', 1, 2)).toBe(false);
    expect(book.takeLost(2)).toEqual(['bots.0']);
  });

  test('has nothing of a claim that was answered after it had lapsed', () => {
    const book = bookOf('a', 1);
    sign(book, 'a', 1, 0);
    const [claim] = book.wishes(0, none, none).take;
    sign(book, 'a', 2, 950);
    expect(book.took(claim!, 0n, 950)).toBe(false);
    expect(book.slots()).toEqual([]);
  });

  test('wants nothing more once it leaves', () => {
    const book = bookOf('a');
    sign(book, 'a', 1, 0);
    takeAll(book, 0);
    book.leave();
    expect(wished(book, 1)).toEqual({ take: [], release: [] });
    expect(book.groups).toEqual([]);
    expect(book.letGo('bots.0')).toMatchObject({ expected: 0n, epoch: 1 });
  });
});

/** Processes with clocks of their own, on a store that answers them late and tells them later. */
class Simulation {
  now = 0;
  readonly log: Told[] = [];
  readonly members: readonly SimulatedMember[];

  constructor(clocks: readonly Clock[]) {
    this.members = clocks.map((clock, index) => new SimulatedMember(this, `m${index}`, clock));
  }

  append(told: (revision: bigint) => Told, slot: Slot, expected: bigint | 'noStream'): bigint | undefined {
    const last = this.log.filter((one) => 'slot' in one && one.slot === slot).length - 1;
    if ((last < 0 ? 'noStream' : BigInt(last)) !== expected) return undefined;
    const revision = BigInt(last + 1);
    this.log.push(told(revision));
    return revision;
  }

  holders(slot: Slot): readonly string[] {
    return this.members.filter((member) => member.holds(slot)).map(({ id }) => id);
  }
}

interface Clock {
  readonly offset: number;
  /** Milliseconds of the clock in a real one. */
  readonly rate: number;
}

class SimulatedMember {
  isStopped = false;
  readonly book: LeaseBook;
  private beats = 0;
  private toldUpTo = 0;
  private readonly unanswered: (() => void)[] = [];
  private readonly unsent: (() => void)[] = [];
  private readonly epochs = new Map<Slot, number>();

  constructor(
    private readonly world: Simulation,
    readonly id: string,
    private readonly clock: Clock,
  ) {
    this.book = new LeaseBook({ me: id, groups: ['bots'], partitions, ttl, margin, startedAt: this.time });
  }

  get time(): number {
    return this.clock.offset + this.world.now * this.clock.rate;
  }

  holds(slot: Slot): boolean {
    return this.book.holds(slot, this.epochs.get(slot) ?? -1, this.time);
  }

  beat(): void {
    const beat = (this.beats += 1);
    this.book.sent(beat, this.time);
    this.unsent.push(() => {
      this.world.log.push({ type: 'alive', member: this.id, beat, groups: this.book.groups });
      this.unanswered.push(() => this.book.acknowledged(beat, this.time));
    });
  }

  act(): void {
    this.book.takeLost(this.time);
    const { take, release } = this.book.wishes(this.time, none, none);
    for (const claim of take) this.unsent.push(() => this.take(claim));
    for (const slot of release) {
      const claim = this.book.letGo(slot);
      if (claim !== undefined) this.unsent.push(() => this.put('released', claim));
    }
  }

  /** The store gets what was sent: also what a process had sent that is stopped now. */
  reach(): void {
    for (const send of this.unsent.splice(0)) send();
  }

  answer(): void {
    for (const hear of this.unanswered.splice(0)) hear();
  }

  hear(count: number): void {
    for (const told of this.world.log.slice(this.toldUpTo, this.toldUpTo + count)) this.book.told(told, this.time);
    this.toldUpTo = Math.min(this.toldUpTo + count, this.world.log.length);
  }

  private take(claim: Claim): void {
    const revision = this.put('taken', claim);
    if (revision === undefined) return;
    this.unanswered.push(() => {
      if (this.book.took(claim, revision, this.time)) this.epochs.set(claim.slot, claim.epoch);
    });
  }

  private put(type: 'taken' | 'released', { slot, expected, epoch }: Claim): bigint | undefined {
    return this.world.append((revision) => ({ type, slot, holder: this.id, epoch, revision }), slot, expected);
  }
}

const partitions = 5;
const slots = Array.from({ length: partitions }, (_, index) => slotOf('bots', index));

const clocks = fc.array(
  fc.record({
    offset: fc.integer({ min: -100_000, max: 100_000 }),
    rate: fc.double({ min: 0.97, max: 1.03, noNaN: true }),
  }),
  { minLength: 2, maxLength: 4 },
);

const step = fc.record({
  who: fc.nat(3),
  what: fc.constantFrom('beat', 'act', 'reach', 'answer', 'hear', 'hearAll', 'stop', 'go', 'round', 'round'),
  after: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 200, max: 1_500 })),
});

/** Everything that a healthy process does in a short while. */
function round(member: SimulatedMember): void {
  member.beat();
  member.reach();
  member.answer();
  member.hear(Infinity);
  member.act();
  member.reach();
  member.answer();
  member.hear(Infinity);
}

function take({ what, who }: { what: string; who: number }, { members }: Simulation): void {
  const member = members[who % members.length]!;
  if (what === 'reach') member.reach();
  else if (what === 'go') member.isStopped = false;
  else if (what === 'stop') member.isStopped = true;
  else if (member.isStopped) return;
  else if (what === 'hear') member.hear(1);
  else if (what === 'hearAll') member.hear(Infinity);
  else if (what === 'round') round(member);
  else member[what as 'beat' | 'act' | 'answer']();
}

describe('whatever processes do, and however late they hear of each other', () => {
  test('a slot has one holder at most', () => {
    let contended = 0;
    fc.assert(
      fc.property(clocks, fc.array(step, { minLength: 20, maxLength: 150 }), (chosen, steps) => {
        const world = new Simulation(chosen);
        for (const one of steps) {
          world.now += one.after;
          take(one, world);
          for (const slot of slots) expect(world.holders(slot).length).toBeLessThanOrEqual(1);
        }
        const everHeld = world.log.flatMap((told) => (told.type === 'taken' ? [`${told.slot} ${told.holder}`] : []));
        if (new Set(everHeld).size > partitions) contended += 1;
      }),
      { numRuns: 500 },
    );
    // Slots went from one to another in a good part of the runs.
    expect(contended).toBeGreaterThan(50);
  });

  test('once they are well, each has its share and every slot one holder', () => {
    fc.assert(
      fc.property(clocks, fc.array(step, { maxLength: 80 }), (chosen, steps) => {
        const world = new Simulation(chosen);
        for (const one of steps) {
          world.now += one.after;
          take(one, world);
        }
        for (const member of world.members) member.isStopped = false;
        for (let time = 0; time < 8 * ttl; time += ttl / 6) {
          world.now += ttl / 6;
          for (const member of world.members) round(member);
        }
        const shares = world.members.map((member) => slots.filter((slot) => member.holds(slot)).length);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });
});
