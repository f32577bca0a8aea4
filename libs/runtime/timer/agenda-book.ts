import { keyOf } from '#libs/kernel';
import type { Append } from '#libs/store/port';
import { runtimeAgendas, type NotedTimer, type runtimeTimers } from '../streams.js';
import type { KnownRevision, StandingContext } from '../topology/access.js';

export type Standing = StandingContext<typeof runtimeTimers | typeof runtimeAgendas, TimerStreams>;
type TimerStreams = typeof runtimeTimers | typeof runtimeAgendas;

/** Key of the stream that says which days there are. */
const index = 'days';
const keptIndexes = 5;
const dayLength = 86_400_000;
/** As far as a `Date` goes. */
const lastDay = 100_000_000;
/** Timers in one event: some 40 KB. */
const pageSize = 500;
const recordsARead = 100;

export function dayOf(time: number): number {
  return Math.min(Math.floor(time / dayLength), lastDay);
}

/** The first moment after a day. */
export function endOf(day: number): number {
  return (day + 1) * dayLength;
}

/**
 * The durable side of the agenda. A timer that is noted stands in the stream of the day on which it is due, so that what
 * has to be read at a start is a day, and a day that is over is truncated whole: nothing is ever written again to keep it.
 */
export class AgendaBook {
  private open = new Set<number>();
  /** Every timer that was noted for a time before it has ended. */
  private endedBefore = 0;
  /** Of the streams that were written to; one whose last append has failed is looked up again. */
  private readonly revisions = new Map<string, KnownRevision>();

  /** False where an append has failed: somebody else may have written, or nobody knows. */
  private isCurrent = false;

  private constructor(private readonly standing: Standing) {}

  /** @throws StoreUnavailable */
  static async load(standing: Standing): Promise<AgendaBook> {
    const book = new AgendaBook(standing);
    await book.refresh();
    return book;
  }

  get days(): readonly number[] {
    return [...this.open].sort((one, other) => one - other);
  }

  /** Every timer that was noted for a time before it had ended when that was kept. */
  get keptUpTo(): number {
    return this.endedBefore;
  }

  /**
   * Resolves when they are durable.
   * @param today the first day that is still looked at
   * @throws WrongExpectedRevision, StoreUnavailable
   */
  async note(timers: readonly NotedTimer[], today: number): Promise<void> {
    await this.refresh();
    const byDay = new Map<number, NotedTimer[]>();
    for (const { key, dueAt } of timers) {
      const day = Math.max(dayOf(dueAt), today);
      // What was kept says that all before has ended.
      const noted = { key, dueAt: Math.max(dueAt, this.endedBefore) };
      const others = byDay.get(day);
      if (others === undefined) byDay.set(day, [noted]);
      else others.push(noted);
    }
    const days = new Set([...this.open, ...byDay.keys()]);
    // A day that is known and has no timers does no harm, the other way round timers would be lost.
    const appends = days.size > this.open.size ? [await this.keeping(days, this.endedBefore)] : [];
    for (const [day, noted] of byDay) appends.push(await this.noting(day, noted));
    await this.append(appends);
    this.open = days;
  }

  /** The timers that were noted for a day, those that have ended since included. @throws StoreUnavailable */
  async *timersOf(day: number): AsyncGenerator<NotedTimer> {
    for (let from: bigint | undefined; ;) {
      const records = await this.standing.read(runtimeAgendas, String(day), {
        limit: recordsARead,
        ...(from !== undefined && { from }),
      });
      for (const { type, data } of records) if (type === 'runtime.timers-noted.v1') yield* data.timers;
      if (records.length < recordsARead) return;
      from = records.at(-1)!.revision + 1n;
    }
  }

  /** Keeps how far it is, and forgets days that are over. @throws WrongExpectedRevision, StoreUnavailable */
  async keep(endedBefore: number, over: readonly number[]): Promise<void> {
    await this.refresh();
    for (const day of over) {
      const revision = await this.revisionOf(String(day));
      if (revision === 'noStream') continue;
      await this.standing.keep(runtimeAgendas, String(day), { truncateBefore: revision + 1n });
    }
    const days = new Set(this.open);
    for (const day of over) days.delete(day);
    await this.append([await this.keeping(days, endedBefore)]);
    this.open = days;
    this.endedBefore = endedBefore;
    for (const day of over) this.revisions.delete(String(day));
  }

  private async refresh(): Promise<void> {
    if (this.isCurrent) return;
    const last = await this.standing.last(runtimeAgendas, index);
    if (last === undefined) await this.standing.keep(runtimeAgendas, index, { maxCount: keptIndexes });
    if (last?.type === 'runtime.agenda-kept.v1') {
      this.open = new Set(last.data.days);
      this.endedBefore = last.data.endedBefore;
    }
    this.isCurrent = true;
  }

  private async noting(day: number, timers: readonly NotedTimer[]): Promise<Append> {
    const pages = Array.from({ length: Math.ceil(timers.length / pageSize) }, (_, page) => ({
      type: 'runtime.timers-noted.v1' as const,
      data: { timers: timers.slice(page * pageSize, (page + 1) * pageSize) },
    }));
    return this.standing.write(runtimeAgendas, String(day), await this.revisionOf(String(day)), pages);
  }

  private async keeping(days: ReadonlySet<number>, endedBefore: number): Promise<Append> {
    const data = { days: [...days], endedBefore };
    return this.standing.write(runtimeAgendas, index, await this.revisionOf(index), [
      { type: 'runtime.agenda-kept.v1', data },
    ]);
  }

  private async revisionOf(key: string): Promise<KnownRevision> {
    return this.revisions.get(key) ?? (await this.standing.last(runtimeAgendas, key))?.revision ?? 'noStream';
  }

  private async append(appends: readonly Append[]): Promise<void> {
    try {
      const results = await this.standing.append(...appends);
      appends.forEach(({ stream }, place) => this.revisions.set(keyOf(stream), results[place]!.revision));
    } catch (error) {
      this.revisions.clear();
      this.isCurrent = false;
      throw error;
    }
  }
}
