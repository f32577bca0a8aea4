import { StoreUnavailable, type Append, type AppendResult, type EventStore } from '#libs/store/port';

/** A store that dies after some appends, in the middle of a batch too, as a killed process leaves it. */
export interface Tear {
  readonly store: EventStore;
  /** How many appends it still takes. */
  left: number;
  /** How many appends were asked for so far. */
  asked: number;
}

export function tearable(inner: EventStore): Tear {
  const append: EventStore['append'] = (stream, expected, events) => {
    tear.asked += 1;
    if (tear.left === 0) return Promise.reject(new StoreUnavailable('torn off by the test', true));
    tear.left -= 1;
    return inner.append(stream, expected, events);
  };
  const appendAll = async (appends: readonly Append[]): Promise<AppendResult[]> => {
    const results: AppendResult[] = [];
    for (const { stream, expected, events } of appends) results.push(await append(stream, expected, events));
    return results;
  };
  const store = new Proxy(inner, {
    get(target, name: keyof EventStore) {
      if (name === 'append') return append;
      if (name === 'appendAll') return appendAll;
      const member = target[name];
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const tear: Tear = { store, left: Infinity, asked: 0 };
  return tear;
}
