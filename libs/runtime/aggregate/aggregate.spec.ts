import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  defineStream,
  InvalidRecord,
  newId,
  Refused,
  type Decider,
  type Message,
  type RecordedEvent,
  type Schema,
} from '#libs/kernel';
import { WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { eventually, TemporaryStore, withFaults, type Faults } from '#libs/testing';
import { LiveFeed } from '../live/live-feed.js';
import { openClient, RecordContext, StreamAccess, type HandlerContext } from '../topology/access.js';
import { CachedAggregates, loadAggregate } from './cached-aggregates.js';
import { decideAndAppend } from './decide-and-append.js';
import { execute } from './execute.js';

interface Counted {
  readonly by: number;
  readonly cause: string;
}
const counted: Schema<Counted> = { problems: () => [] };
const counters = defineStream('toy', 'event', { 'toy.counted.v1': counted });
const grant = { name: 'toy', reads: [], looksUp: [counters], writes: [counters] };

type Count = { readonly total: number; readonly causes: readonly string[] };
type Event = Message<'toy.counted.v1', Counted>;

const counter: Decider<Count, Counted, Event> = {
  initial: () => ({ total: 0, causes: [] }),
  evolve: ({ total, causes }, { data }) => ({ total: total + data.by, causes: [...causes, data.cause] }),
  decide({ total, causes }, { by, cause }) {
    if (causes.includes(cause)) return [];
    if (total + by > 10) throw new Refused('too-much', 'it counts to ten');
    return [{ type: 'toy.counted.v1', data: { by, cause } }];
  },
};

let temporary: TemporaryStore;
let faults: Faults;
let store: EventStore;

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  faults = {};
  store = withFaults(temporary.store, faults);
});
afterEach(() => temporary.remove());

const client = () => openClient(store, grant);
const count = (cause: string, by = 1, ifRevision?: bigint | 'noStream') =>
  execute(client(), counters, counter, 'a', { by, cause }, ifRevision);

function contextOf(cause: string): HandlerContext<typeof counters, typeof counters> {
  const record: RecordedEvent = {
    id: cause,
    type: 'x',
    stream: 'toy.operation-a',
    revision: 0n,
    position: 1n,
    created: 0,
    data: {},
    metadata: {},
    checked: false,
  };
  const context = new RecordContext(
    new StreamAccess(store, grant),
    record,
    'a',
    new AbortController().signal,
    Date.now,
  );
  return context;
}

describe('execute', () => {
  it('appends what is decided, and answers the new state', async () => {
    const first = await count('c1', 2);
    expect(first).toMatchObject({ state: { total: 2 }, revision: 0n, written: true });
    expect(first.position).toBe(await store.head());
    expect(await count('c2', 3)).toMatchObject({ state: { total: 5 }, revision: 1n, written: true });
  });

  it('writes nothing for a cause that was decided before', async () => {
    await count('c1');
    const head = await store.head();
    expect(await count('c1')).toMatchObject({ state: { total: 1 }, revision: 0n, written: false });
    expect(await store.head()).toBe(head);
  });

  it('lets commands at the same time all take place, each on the state before it', async () => {
    const done = await Promise.all(Array.from({ length: 8 }, (_, index) => count(`c${index}`)));
    expect(done.map(({ state }) => state.total).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect((await loadAggregate(client(), counters, counter, 'a')).state.total).toBe(8);
  });

  it('refuses what the state does not allow, also when that changed in between', async () => {
    await count('c1', 5);
    const both = await Promise.allSettled([count('c2', 5), count('c3', 5)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(count('c4', 1)).rejects.toThrow(Refused);
  });

  it('decides on no other revision than the one that was named', async () => {
    await expect(count('c1', 1, 0n)).rejects.toThrow(WrongExpectedRevision);
    await count('c1', 1, 'noStream');
    await expect(count('c2', 1, 'noStream')).rejects.toThrow(WrongExpectedRevision);
    faults.beforeAppend = async () => {
      faults.beforeAppend = undefined;
      await count('c2');
    };
    await expect(count('c3', 1, 0n)).rejects.toThrow(WrongExpectedRevision);
    expect((await loadAggregate(client(), counters, counter, 'a')).state.causes).toEqual(['c1', 'c2']);
  });

  it('gives up when somebody else is quicker time and again', async () => {
    let rivals = 0;
    faults.beforeAppend = ([stream]) => {
      rivals += 1;
      throw new WrongExpectedRevision(stream!, 'noStream', 0n);
    };
    await expect(count('c1')).rejects.toThrow(WrongExpectedRevision);
    expect(rivals).toBe(10);
  });
});

describe('loadAggregate', () => {
  const appendUnreadable = () => store.append('toy.event-a', 0n, [{ id: newId(), type: 'toy.shouted.v1', data: {} }]);
  const load = (decider: typeof counter) => loadAggregate(client(), counters, decider, 'a');

  it('fails on a record that cannot be read', async () => {
    await count('c1');
    await appendUnreadable();
    await expect(load(counter)).rejects.toThrow(InvalidRecord);
  });

  it('goes on where the decider knows what such a record means', async () => {
    await count('c1', 2);
    await appendUnreadable();
    const forgiving: typeof counter = {
      ...counter,
      evolveUnreadable: ({ total, causes }, { type, revision }) => ({
        total,
        causes: [...causes, `${type} ${revision}`],
      }),
    };
    const { state, revision } = await load(forgiving);
    expect(state).toEqual({ total: 2, causes: ['c1', 'toy.shouted.v1 1'] });
    expect(revision).toBe(1n);
    await execute(client(), counters, forgiving, 'a', { by: 3, cause: 'c2' });
    expect((await load(forgiving)).state.total).toBe(5);
  });
});

describe('decideAndAppend', () => {
  const causes = [newId(), newId()] as const;
  const none = { state: counter.initial(), revision: 'noStream' as const };
  const decideFor = (cause: string, assumed: { state: Count; revision: bigint | 'noStream' } = none) =>
    decideAndAppend(contextOf(cause), counters, counter, 'a', assumed, (state) =>
      counter.decide(state, { by: 1, cause }),
    );
  const causesOf = async () => (await loadAggregate(client(), counters, counter, 'a')).state.causes;

  it('needs no read for a new aggregate', async () => {
    faults.beforeRead = () => {
      throw new Error('must not be read');
    };
    expect(await decideFor(causes[0])).toBe(true);
  });

  it('decides anew where the aggregate is not as assumed', async () => {
    await decideFor(causes[0]);
    expect(await decideFor(causes[1])).toBe(true);
    expect(await causesOf()).toEqual(causes);
  });

  it('writes nothing more for a record that is handled again, also when others wrote since', async () => {
    await decideFor(causes[0]);
    await decideFor(causes[0]);
    await decideFor(causes[1]);
    await decideFor(causes[0]);
    await decideFor(causes[1]);
    expect(await causesOf()).toEqual(causes);
  });

  it('lets two that decide at the same time both write', async () => {
    expect(await Promise.all(causes.map((cause) => decideFor(cause)))).toEqual([true, true]);
    expect([...(await causesOf())].sort()).toEqual([...causes].sort());
  });
});

describe('CachedAggregates', () => {
  let feed: LiveFeed;
  let cached: CachedAggregates<typeof counters, Count>;
  let reads: number;
  const get = (seen: bigint) => cached.get(client(), 'a', seen);

  beforeEach(async () => {
    feed = new LiveFeed(store, [counters]);
    await feed.start();
    cached = new CachedAggregates(feed, counters, counter);
    reads = 0;
    faults.beforeRead = () => (reads += 1);
  });
  afterEach(async () => {
    cached.stop();
    await feed.stop();
  });

  it('read once what does not change, and again what has changed', async () => {
    await count('c1');
    const head = await store.head();
    await eventually(() => feed.position >= head);
    reads = 0;
    expect((await get(head)).state.total).toBe(1);
    expect((await get(head)).state.total).toBe(1);
    expect(reads).toBe(1);
    await count('c2');
    await eventually(async () => feed.position >= (await store.head()));
    expect((await get(await store.head())).state.total).toBe(2);
  });

  it('never answer with less than the caller must have seen', async () => {
    for (let n = 0; n < 10; n += 1) {
      const { position } = await count(`c${n}`);
      expect((await get(position!)).state.total).toBe(n + 1);
    }
  });

  it('do not keep what changed while it was read', async () => {
    await count('c1');
    await eventually(async () => feed.position >= (await store.head()));
    const seen = feed.position;
    const getting = get(seen);
    await count('c2');
    await getting;
    await eventually(async () => feed.position >= (await store.head()));
    expect((await get(seen)).state.total).toBe(2);
  });
});

describe('LiveFeed', () => {
  it('emits what is appended in its categories from the start on, and completes when it stops', async () => {
    await count('before');
    const feed = new LiveFeed(store, [counters]);
    await feed.start();
    const seen: unknown[] = [];
    let completed = false;
    feed.records.subscribe({
      next: ({ data }) => seen.push((data as Counted).cause),
      complete: () => (completed = true),
    });
    await count('after');
    await store.append('other.event-1', 'noStream', [{ id: newId(), type: 'x', data: {} }]);
    await eventually(() => seen.length === 1);
    await eventually(async () => feed.position === (await store.head()));
    expect(seen).toEqual(['after']);
    await feed.stop();
    expect(completed).toBe(true);
  });
});
