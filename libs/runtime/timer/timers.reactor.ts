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

const longestTimeout = 2_147_483_647;
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
  private readonly queue = new TinyQueue<Pending>([], (a, b) => a.dueAt - b.dueAt);
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
      });
      this.arm(context);
      return { settled };
    }
    this.pending.get(key)?.settle(true);
    this.pending.delete(key);
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
    const wait = Math.min(Math.max(next.dueAt - context.now(), 0), longestTimeout);
    this.timeout = setTimeout(() => this.fireDue(context), wait);
  }

  private fireDue(context: HandlerContext<Timers, Timers>): void {
    for (let next = this.queue.peek(); next !== undefined && next.dueAt <= context.now(); next = this.queue.peek()) {
      this.queue.pop();
      if (this.pending.get(next.key) === next) void this.fire(next);
    }
    this.arm(context);
  }

  private async fire({ key, purpose, context, fail }: Pending): Promise<void> {
    try {
      await context.append(
        context.write(runtimeTimers, key, 0n, [{ type: 'runtime.timer-fired.v1', data: { purpose } }]),
      );
    } catch (error) {
      // Cancelled at the same time: its own record settles it.
      if (!(error instanceof WrongExpectedRevision)) fail(error);
    }
  }
}
