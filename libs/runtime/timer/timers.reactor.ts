import TinyQueue from 'tinyqueue';
import { keyOf, type RecordOf } from '#libs/kernel';
import { WrongExpectedRevision } from '#libs/store/port';
import { runtimeTimers } from '../streams.js';
import type { HandlerContext } from '../topology/access.js';
import { defineReactor, type Deferred } from '../topology/handler.js';

type Timers = typeof runtimeTimers;

interface Pending {
  readonly key: string;
  readonly dueAt: number;
  readonly purpose: string;
  readonly context: HandlerContext<Timers, Timers>;
  readonly settle: (done: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/** The clock may be set: it is looked at again at least that often. In milliseconds. */
const longestWait = 1_000;
/** Timers that are being fired at a time. */
const mostFiring = 256;
/** Timers that may be pending at a time, at some 500 bytes of memory each. */
const mostPending = 1_000_000;

/**
 * Fires timers: a timer is scheduled as revision 0 of its stream, and firing and cancelling compete for revision 1. The
 * checkpoint stays behind the oldest pending timer, so that after a restart all pending ones are read again.
 */
export const timersReactor = defineReactor({
  name: 'runtime.timers',
  reads: [runtimeTimers],
  writes: [runtimeTimers],
  mostDeferred: mostPending,
  create: (_services: unknown) => new Agenda(),
});

class Agenda {
  private readonly pending = new Map<string, Pending>();
  private queue = queueOf([]);
  private firing = 0;
  private timeout: NodeJS.Timeout | undefined;
  private stopped = false;

  handle = async (record: RecordOf<Timers>, context: HandlerContext<Timers, Timers>): Promise<Deferred | void> => {
    const key = keyOf(record.stream);
    if (record.type === 'runtime.timer-scheduled.v1') {
      const { dueAt, purpose } = record.data;
      const settled = new Promise<boolean>((settle, fail) => {
        const pending = { key, dueAt, purpose, context, settle, fail };
        this.pending.set(key, pending);
        this.queue.push(pending);
        if (this.queue.peek() === pending) this.arm(context);
      });
      return { settled };
    }
    this.pending.get(key)?.settle(true);
    this.pending.delete(key);
    // Most timers are cancelled long before they are due.
    if (this.queue.length > 2 * this.pending.size + 1_000) this.queue = queueOf([...this.pending.values()]);
  };

  stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timeout);
    for (const { settle } of this.pending.values()) settle(false);
    return Promise.resolve();
  }

  private arm(context: HandlerContext<Timers, Timers>): void {
    clearTimeout(this.timeout);
    const next = this.queue.peek();
    if (next === undefined || this.stopped) return;
    const wait = Math.min(Math.max(next.dueAt - context.now(), 0), longestWait);
    this.timeout = setTimeout(() => this.fireDue(context), wait);
  }

  private fireDue(context: HandlerContext<Timers, Timers>): void {
    while (!this.stopped && this.firing < mostFiring && (this.queue.peek()?.dueAt ?? Infinity) <= context.now()) {
      const next = this.queue.pop()!;
      if (this.pending.get(next.key) === next) void this.fire(next);
    }
    if (this.firing < mostFiring) this.arm(context);
  }

  private async fire(pending: Pending): Promise<void> {
    const { key, purpose, context, settle, fail } = pending;
    this.firing += 1;
    try {
      await context.append(
        context.write(runtimeTimers, key, 0n, [{ type: 'runtime.timer-fired.v1', data: { purpose } }]),
      );
      settle(true);
    } catch (error) {
      // It has fired or was cancelled before.
      if (error instanceof WrongExpectedRevision) settle(true);
      else fail(error);
    }
    if (this.pending.get(key) === pending) this.pending.delete(key);
    this.firing -= 1;
    this.fireDue(context);
  }
}

function queueOf(pending: Pending[]): TinyQueue<Pending> {
  return new TinyQueue(pending, (a, b) => a.dueAt - b.dueAt);
}
