import { keyOf, type RecordOf } from '#libs/kernel';
import { runtimeAgendas, runtimeTimers } from '../streams.js';
import { defineReactor, type Deferred } from '../topology/handler.js';
import { Agenda, type AgendaSize } from './agenda.js';
import type { Standing } from './agenda-book.js';

/** Timers in memory and in one append. */
const usual: AgendaSize = { mostLoaded: 50_000, batchSize: 2_000 };

/**
 * Fires timers: a timer is scheduled as revision 0 of its stream, and firing and cancelling compete for revision 1. One
 * that is scheduled is noted in the agenda before the checkpoint goes on, so that pending timers hold nothing up: after a
 * restart those of the day are read from there.
 */
export const timersReactor = timersReactorOf(usual);

/** The same with an agenda of another size, for tests. */
export function timersReactorOf(size: AgendaSize) {
  return defineReactor({
    name: 'runtime.timers',
    reads: [runtimeTimers],
    looksUp: [runtimeAgendas],
    writes: [runtimeTimers, runtimeAgendas],
    // There is one agenda.
    partitioned: false,
    create: (_services: unknown) => new TimersReactor(size),
  });
}

class TimersReactor {
  private agenda: Agenda | undefined;

  constructor(private readonly size: AgendaSize) {}

  async start(standing: Standing): Promise<void> {
    this.agenda = await Agenda.open(standing, this.size);
  }

  handle = async (record: RecordOf<typeof runtimeTimers>): Promise<Deferred | void> => {
    const key = keyOf(record.stream);
    if (record.type === 'runtime.timer-scheduled.v1') {
      return { settled: this.agenda!.add({ key, dueAt: record.data.dueAt }) };
    }
    this.agenda!.remove(key);
  };

  async stop(): Promise<void> {
    await this.agenda?.close();
  }
}
