import { categoryOf, type RecordedEvent } from '#libs/kernel';
import type { EventFilter } from './event-store.js';

/** Whether a subscriber wants a record. */
export type Matcher = (record: RecordedEvent, category: string) => boolean;

/** What a subscriber takes out of the tail at a time. */
interface TailSlice {
  readonly events: readonly RecordedEvent[];
  /** Everything up to this position was looked at. */
  readonly scanned: bigint;
}

interface Kept {
  readonly record: RecordedEvent;
  readonly category: string;
  readonly length: number;
}

interface Waiter {
  readonly matches: Matcher;
  readonly wake: () => void;
}

/** How long a subscriber that wants none of the new records waits to hear how far the store has got. */
const checkpointDelayMs = 10;

/**
 * The records committed last, in order, as many as fit. A subscriber is nothing but a position: inside the tail it
 * reads from here, behind it from the disk, at the head it waits. So there is no queue per subscriber to overflow.
 */
export class Tail {
  readonly #maxEvents: number;
  readonly #maxLength: number;
  readonly #waiters = new Set<Waiter>();
  #kept: Kept[] = [];
  /** Index of the first record that counts; those before it have been dropped. */
  #start = 0;
  #length = 0;
  /** Everything after this position is in the tail. */
  #floor: bigint;
  #head: bigint;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(head: bigint, maxEvents: number, maxLength: number) {
    this.#floor = head;
    this.#head = head;
    this.#maxEvents = maxEvents;
    this.#maxLength = maxLength;
  }

  /** Position of the last committed record. */
  get head(): bigint {
    return this.#head;
  }

  /** Adds what a commit wrote, in order. `lengths` says how much JSON each record is. */
  push(records: readonly RecordedEvent[], lengths: readonly number[]): void {
    if (records.length === 0) return;
    const before = this.#kept.length;
    for (const [index, record] of records.entries()) {
      const length = lengths[index]!;
      this.#kept.push({ record, category: categoryOf(record.stream), length });
      this.#length += length;
    }
    this.#head = records.at(-1)!.position;
    this.#wake(before);
    this.#trim();
  }

  /** Says that the store has grown by what is not kept here: subscribers read it from the disk. */
  jump(head: bigint): void {
    if (head <= this.#head) return;
    this.#kept = [];
    this.#start = 0;
    this.#length = 0;
    this.#floor = head;
    this.#head = head;
    this.#wakeAll();
  }

  /** What matches after the position; undefined where the tail does not reach back so far. */
  after(position: bigint, matches: Matcher, limit: number): TailSlice | undefined {
    if (position < this.#floor) return undefined;
    const events: RecordedEvent[] = [];
    for (let index = this.#indexAfter(position); index < this.#kept.length; index += 1) {
      const { record, category } = this.#kept[index]!;
      if (!matches(record, category)) continue;
      events.push(record);
      if (events.length === limit) return { events, scanned: record.position };
    }
    return { events, scanned: this.#head };
  }

  /** Resolves when there is something new: at once for a record that matches, else after a moment. */
  wait(after: bigint, matches: Matcher, signal: AbortSignal | undefined): Promise<void> {
    if (after < this.#head || this.#ended || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter: Waiter = {
        matches,
        wake: () => {
          this.#waiters.delete(waiter);
          signal?.removeEventListener('abort', waiter.wake);
          resolve();
        },
      };
      signal?.addEventListener('abort', waiter.wake, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Wakes every subscriber, now and from now on, to find the store closed or failed. */
  end(): void {
    this.#ended = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const waiter of [...this.#waiters]) waiter.wake();
  }

  #wake(from: number): void {
    for (const waiter of [...this.#waiters]) {
      for (let index = from; index < this.#kept.length; index += 1) {
        const { record, category } = this.#kept[index]!;
        if (waiter.matches(record, category)) {
          waiter.wake();
          break;
        }
      }
    }
    if (this.#waiters.size > 0) this.#timer ??= setTimeout(() => this.#wakeAll(), checkpointDelayMs);
  }

  #trim(): void {
    while (this.#kept.length - this.#start > this.#maxEvents || this.#length > this.#maxLength) {
      const { record, length } = this.#kept[this.#start]!;
      this.#floor = record.position;
      this.#length -= length;
      this.#start += 1;
    }
    // Moving the rest costs as much as it frees only once half of the array is gone.
    if (this.#start > this.#maxEvents || this.#start * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#start);
      this.#start = 0;
    }
  }

  #indexAfter(position: bigint): number {
    let low = this.#start;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#kept[middle]!.record.position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The filter as a function; the store's own streams never match. */
export function matcherOf(filter: EventFilter | undefined): Matcher {
  const categories = filter?.categories && new Set(filter.categories);
  const types = filter?.types && new Set(filter.types);
  const prefixes = filter?.streamPrefixes;
  return (record, category) =>
    (categories === undefined || categories.has(category)) &&
    (types === undefined || types.has(record.type)) &&
    (prefixes === undefined || prefixes.some((prefix) => record.stream.startsWith(prefix))) &&
    !record.stream.startsWith('$');
}
