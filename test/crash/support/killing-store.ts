import type { EventStore, NewEvent } from '#libs/store/port';

/** Where a process ends. */
export interface KillPoint {
  /** At `hold` the append is never made, nor any after it, and the process lives on for somebody else to kill. */
  readonly moment: 'before' | 'after' | 'hold';
  /** Counts only appends that hold an event of this type; every append where left out. */
  readonly type?: string;
  /** Which of those appends, from 1; the first where left out. */
  readonly nth?: number;
}

/** Variable of the environment that arms a server before it starts: a `KillPoint` as JSON. */
export const killPointAtStart = 'KILL_POINT';

/**
 * What stands between a server and its store. Until it is armed it changes nothing; from then on it tears batches, so
 * that each append is a commit of its own, and kills the process at one of them.
 */
export class KillingStore {
  private point: KillPoint | undefined;
  private left = 0;

  /** @param appending is told the first event type of each append, once armed */
  constructor(private readonly appending: (type: string) => void) {}

  arm(point: KillPoint): void {
    this.point = point;
    this.left = point.nth ?? 1;
  }

  decorate = (store: EventStore): EventStore => {
    const append: EventStore['append'] = (...args) => this.append(store, ...args);
    const appendAll: EventStore['appendAll'] = async (appends) => {
      if (this.point === undefined) return store.appendAll(appends);
      const results = [];
      for (const { stream, expected, events } of appends) results.push(await append(stream, expected, events));
      return results;
    };
    return new Proxy(store, {
      get(target, name) {
        if (name === 'append') return append;
        if (name === 'appendAll') return appendAll;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };

  private async append(store: EventStore, ...args: Parameters<EventStore['append']>) {
    if (this.point === undefined) return store.append(...args);
    // What comes while the append of the kill is on its way would stand or not by chance.
    if (this.left === 0) return forever;
    const [, , events] = args;
    this.appending(events[0]!.type);
    if (!this.isReachedBy(events)) return store.append(...args);
    try {
      if (this.point.moment === 'after') await store.append(...args);
    } finally {
      if (this.point.moment !== 'hold') process.kill(process.pid, 'SIGKILL');
    }
    return forever;
  }

  private isReachedBy(events: readonly NewEvent[]): boolean {
    const { type } = this.point!;
    if (type === undefined || events.some((event) => event.type === type)) this.left -= 1;
    return this.left === 0;
  }
}

const forever = new Promise<never>(() => {});
