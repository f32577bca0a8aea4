import { parse, type RecordedEvent } from '#libs/kernel';
import { StoreUnavailable, StreamDeleted, WrongExpectedRevision } from '#libs/store/port';
import { pause } from '../consumer/pause.js';
import { runtimeTimers, type NotedTimer } from '../streams.js';
import { AgendaBook, dayOf, endOf, type Standing } from './agenda-book.js';
import { DueTimers } from './due-timers.js';

/** The clock may be set: it is looked at again at least that often. In milliseconds. */
const longestWait = 1_000;
const longestPause = 5_000;
/** Timers that are being fired at a time. */
const mostFiring = 256;
/** Characters of keys in one append: what JSON makes of them has room in it. */
const mostKeyLength = 100_000;
/** Timers that have ended until how far it is is kept: after a restart no more than these are looked at again. */
const keepAfter = 1_000;

export interface AgendaSize {
  /** Timers in memory; twice as many for a moment. */
  readonly mostLoaded: number;
  /** Timers noted in one append. */
  readonly batchSize: number;
}

interface Held {
  readonly timer: NotedTimer;
  readonly settle: (done: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/** Notes timers durably, and fires those that are due. What it does to its book it does one thing after the other. */
export class Agenda {
  private held: Held[] = [];
  private readonly due: DueTimers;
  /** The last day whose timers are looked at. */
  private today: number;
  private ended = 0;
  private readonly work: Promise<void>;
  private woken = false;
  private wakeUp: (() => void) | undefined;

  private constructor(
    private readonly standing: Standing,
    private readonly book: AgendaBook,
    private readonly size: AgendaSize,
  ) {
    this.due = new DueTimers(book.keptUpTo, size.mostLoaded);
    this.today = dayOf(Math.max(book.keptUpTo, standing.now()));
    standing.signal.addEventListener('abort', () => this.wake(), { once: true });
    this.work = this.run();
  }

  /** @throws StoreUnavailable */
  static async open(standing: Standing, size: AgendaSize): Promise<Agenda> {
    return new Agenda(standing, await AgendaBook.load(standing), size);
  }

  /** Resolves when the timer is durable; false where the consumer stops before. */
  add(timer: NotedTimer): Promise<boolean> {
    return new Promise((settle, fail) => {
      this.held.push({ timer, settle, fail });
      this.wake();
    });
  }

  /** It was cancelled, or has fired. */
  remove(key: string): void {
    this.due.remove(key);
  }

  async close(): Promise<void> {
    await this.work;
    for (const { settle } of this.held.splice(0)) settle(false);
  }

  private async run(): Promise<void> {
    const { signal } = this.standing;
    let wait = 100;
    while (!signal.aborted) {
      this.woken = false;
      try {
        await this.note();
        await this.look();
        wait = 100;
      } catch (error) {
        if (signal.aborted) return;
        // Another process has taken over, or has just been taken over from.
        if (!isOutage(error) && !(error instanceof WrongExpectedRevision)) return this.standing.fail(error);
        await pause(wait, signal);
        wait = Math.min(wait * 2, longestPause);
        continue;
      }
      this.fireDue();
      await this.idle();
    }
  }

  private async note(): Promise<void> {
    while (this.held.length > 0 && !this.standing.signal.aborted) {
      const batch = this.held.splice(0, this.fitting());
      const timers = batch.map(({ timer }) => timer);
      try {
        await this.book.note(timers, this.today);
      } catch (error) {
        for (const { fail } of batch) fail(error);
        continue;
      }
      for (const timer of timers) this.due.add(timer);
      for (const { settle } of batch) settle(true);
    }
  }

  private fitting(): number {
    let length = 0;
    const end = this.held.findIndex(({ timer }, place) => {
      length += timer.key.length;
      return place > 0 && (place >= this.size.batchSize || length > mostKeyLength);
    });
    return end < 0 ? this.held.length : end;
  }

  /** Reads what comes next, where all that was read before is about to be used up, and keeps how far it is. */
  private async look(): Promise<void> {
    const now = this.standing.now();
    const today = Math.max(this.today, dayOf(now));
    if (this.due.reachedUpTo < endOf(today) && this.due.size < this.size.mostLoaded / 2) {
      this.today = today;
      await this.due.read(this.upTo(today), endOf(today));
    }
    const endedBefore = this.due.endedBefore(now);
    const over = this.book.days.filter((day) => endOf(day) <= endedBefore);
    if (over.length === 0 && this.ended < keepAfter) return;
    this.ended = 0;
    await this.book.keep(Math.max(endedBefore, this.book.keptUpTo), over);
  }

  private async *upTo(today: number): AsyncGenerator<NotedTimer> {
    for (const day of this.book.days) {
      if (day > today) return;
      if (endOf(day) > this.due.reachedUpTo) yield* this.book.timersOf(day);
    }
  }

  private fireDue(): void {
    const { signal, isPaused, now } = this.standing;
    while (!signal.aborted && !isPaused() && this.due.beingFired < mostFiring) {
      const timer = this.due.take(now());
      if (timer === undefined) return;
      void this.fire(timer);
    }
  }

  private async fire(timer: NotedTimer): Promise<void> {
    const { signal } = this.standing;
    for (let wait = 100; !signal.aborted; wait = Math.min(wait * 2, longestPause)) {
      try {
        await this.fireOnce(timer);
        this.due.ended(timer);
        this.ended += 1;
        this.fireDue();
        this.wake();
        return;
      } catch (error) {
        if (!isOutage(error)) {
          if (!signal.aborted) this.standing.fail(error);
          return;
        }
        await pause(wait, signal);
      }
    }
  }

  private async fireOnce({ key }: NotedTimer): Promise<void> {
    const { standing } = this;
    const scheduled = await this.pendingRecord(key);
    if (scheduled === undefined) return;
    const { data } = parse(runtimeTimers, scheduled);
    const context = standing.contextOf(scheduled);
    const fired = { type: 'runtime.timer-fired.v1' as const, data: { purpose: data.purpose } };
    try {
      await context.append(context.write(runtimeTimers, key, scheduled.revision, [fired]));
    } catch (error) {
      // It was cancelled meanwhile.
      if (!(error instanceof WrongExpectedRevision)) throw error;
    }
  }

  /** Undefined where the timer has fired, was cancelled, or is gone. */
  private async pendingRecord(key: string): Promise<RecordedEvent | undefined> {
    try {
      const [first, second] = await this.standing.readUnchecked(runtimeTimers, key, { limit: 2 });
      return second === undefined && first?.type === 'runtime.timer-scheduled.v1' ? first : undefined;
    } catch (error) {
      if (error instanceof StreamDeleted) return undefined;
      throw error;
    }
  }

  private wake(): void {
    this.woken = true;
    this.wakeUp?.();
  }

  private async idle(): Promise<void> {
    if (this.woken || this.standing.signal.aborted) return;
    const untilDue = (this.due.nextDueAt ?? Infinity) - this.standing.now();
    const isBusy = this.standing.isPaused() || this.due.beingFired >= mostFiring;
    await new Promise<void>((resolve) => {
      const timeout = setTimeout(resolve, isBusy ? longestWait : Math.min(Math.max(untilDue, 0), longestWait));
      this.wakeUp = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
    this.wakeUp = undefined;
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof StoreUnavailable && !error.final;
}
