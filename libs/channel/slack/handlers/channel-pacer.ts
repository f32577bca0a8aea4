import { LRUCache } from 'lru-cache';

/** Channels remembered; one that was not used for so long needs no pace. */
const mostChannels = 10_000;
/** A turn that nobody came for is forgotten after so many milliseconds. */
const patience = 60_000;

/** A time that was given out; milliseconds since the Unix epoch. */
interface Turn {
  readonly at: number;
  /** Of no use to the operation after that. */
  readonly latest: number;
}

/** The turns of one channel. */
interface Lane {
  /** Those given out for later, by operation, the earliest first. */
  turns: Map<string, Turn>;
  /** The first time that nobody has been given yet. */
  next: number;
  /** When the last turn was taken. */
  taken: number;
}

/**
 * Gives each operation its turn, so that one channel gets a message per interval. Nobody waits in here: who comes too early
 * is told when to come back, first come, first served, and each for a time of its own. It is kept in memory only: after a
 * restart everybody asks again.
 */
export class ChannelPacer {
  private readonly lanes = new LRUCache<string, Lane>({ max: mostChannels });

  /** @param interval milliseconds between two turns of a channel; when somebody comes late, at least half of it */
  constructor(private readonly interval: number) {}

  /**
   * When the operation may begin; `now` where that is at once, and the turn is taken then.
   * @param latest a turn after that is told, but kept for somebody else
   */
  turn(channel: string, operation: string, now: number, latest = Infinity): number {
    const lane = this.laneOf(channel, now);
    const own = lane.turns.get(operation)?.at;
    if (own !== undefined && own > now) return own;
    lane.turns.delete(operation);
    if ((own ?? lane.next) <= now && now >= lane.taken + this.interval / 2) {
      lane.taken = now;
      if (own === undefined) lane.next = now + this.interval;
      return now;
    }
    const at = Math.max(lane.next, lane.taken + this.interval);
    if (at > latest) return at;
    lane.turns.set(operation, { at, latest });
    lane.next = at + this.interval;
    return at;
  }

  /** The channel takes nothing until then; the operation that was told so goes first, the others keep their order. */
  pause(channel: string, operation: string, until: number, now: number): void {
    const lane = this.laneOf(channel, now);
    const [first] = lane.turns.values();
    const shift = Math.max(0, until + this.interval - (first?.at ?? lane.next));
    const waiting = lane.turns;
    lane.turns = new Map([[operation, { at: until, latest: Infinity }]]);
    lane.next = Math.max(lane.next, until + this.interval);
    for (const [other, { at, latest }] of waiting) {
      if (at + shift > latest) continue;
      lane.turns.set(other, { at: at + shift, latest });
      lane.next = at + shift + this.interval;
    }
  }

  private laneOf(channel: string, now: number): Lane {
    let lane = this.lanes.get(channel);
    // Where the clock was set back, what was given out before means nothing any more.
    if (lane === undefined || lane.taken > now) {
      lane = { turns: new Map(), next: now, taken: -Infinity };
      this.lanes.set(channel, lane);
    }
    for (const [operation, { at }] of lane.turns) {
      if (at > now - patience) break;
      lane.turns.delete(operation);
    }
    return lane;
  }
}
