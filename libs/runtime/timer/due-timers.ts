import TinyQueue from 'tinyqueue';
import type { NotedTimer } from '../streams.js';

/**
 * The timers that are due next, at some 250 bytes of memory each. With more than twice `most` of them those that are due
 * last are dropped: they are read again when their time comes near.
 */
export class DueTimers {
  private readonly pending = new Map<string, NotedTimer>();
  private readonly firing = new Set<NotedTimer>();
  private queue = queueOf([]);
  /** Every timer that was noted and comes before it is here, or has ended. */
  private reach: NotedTimer;

  constructor(
    from: number,
    private readonly most: number,
  ) {
    this.reach = { key: '', dueAt: from };
  }

  get size(): number {
    return this.pending.size;
  }

  get beingFired(): number {
    return this.firing.size;
  }

  /** Timers before this time are here, or have ended. */
  get reachedUpTo(): number {
    return this.reach.dueAt;
  }

  /** When the first of them is due; it may have been cancelled. */
  get nextDueAt(): number | undefined {
    return this.queue.peek()?.dueAt;
  }

  /** One that comes after all that is here is left to be read later. */
  add(timer: NotedTimer): void {
    if (!isBefore(timer, this.reach) || this.pending.has(timer.key)) return;
    this.pending.set(timer.key, timer);
    this.queue.push(timer);
    if (this.pending.size <= 2 * this.most) return;
    const first = earliest([...this.pending.values()], this.most);
    this.pending.clear();
    for (const one of first) this.pending.set(one.key, one);
    this.reach = rightAfter(first.at(-1)!);
    this.queue = queueOf(first);
  }

  /** Takes those in that come after what is here, and before `until`. */
  async read(timers: AsyncIterable<NotedTimer>, until: number): Promise<void> {
    let found: NotedTimer[] = [];
    let end: NotedTimer = { key: '', dueAt: until };
    for await (const timer of timers) {
      if (isBefore(timer, this.reach) || !isBefore(timer, end)) continue;
      found.push(timer);
      if (found.length <= 2 * this.most) continue;
      found = earliest(found, this.most);
      end = rightAfter(found.at(-1)!);
    }
    this.reach = end;
    for (const timer of found) this.add(timer);
  }

  /** It was cancelled, or has fired. */
  remove(key: string): void {
    if (!this.pending.delete(key)) return;
    // Most timers are cancelled long before they are due.
    if (this.queue.length > 2 * this.pending.size + 1_000) this.queue = queueOf([...this.pending.values()]);
  }

  /** The next one that is due; it counts as being fired until it has ended. */
  take(now: number): NotedTimer | undefined {
    while ((this.queue.peek()?.dueAt ?? Infinity) <= now) {
      const timer = this.queue.pop()!;
      if (this.pending.get(timer.key) !== timer) continue;
      this.pending.delete(timer.key);
      this.firing.add(timer);
      return timer;
    }
    return undefined;
  }

  ended(timer: NotedTimer): void {
    this.firing.delete(timer);
  }

  /** Every timer that was noted for a time before it has ended. */
  endedBefore(now: number): number {
    let first = Math.min(now, this.reach.dueAt, this.nextDueAt ?? Infinity);
    for (const { dueAt } of this.firing) first = Math.min(first, dueAt);
    return first;
  }
}

function inOrder(one: NotedTimer, other: NotedTimer): number {
  if (one.dueAt !== other.dueAt) return one.dueAt - other.dueAt;
  return one.key < other.key ? -1 : Number(one.key > other.key);
}

function isBefore(one: NotedTimer, other: NotedTimer): boolean {
  return inOrder(one, other) < 0;
}

function rightAfter({ key, dueAt }: NotedTimer): NotedTimer {
  return { key: `${key}\0`, dueAt };
}

function earliest(timers: NotedTimer[], most: number): NotedTimer[] {
  return timers.sort(inOrder).slice(0, most);
}

function queueOf(timers: NotedTimer[]): TinyQueue<NotedTimer> {
  return new TinyQueue(timers, inOrder);
}
