import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defineStream, type RecordedEvent, type Schema } from '#libs/kernel';
import { StoreUnavailable } from '#libs/store/port';
import { TemporaryStore, withFaults, type Faults } from '#libs/testing';
import { LeaseLost, type Lease } from '../lease/lease.js';
import { RetryLater } from '../retry/retry-later.js';
import { RecordContext, StreamAccess } from '../topology/access.js';
import type { Attempt } from './attempt.js';
import { runEffect, type Effect } from './run-effect.js';

const anything: Schema<object> = { problems: () => [] };
const effects = defineStream('toy', 'event', {
  'claimed.v1': anything,
  'attempt-failed.v1': anything,
  'succeeded.v1': anything,
  'failed.v1': anything,
});
const types = {
  claimed: 'claimed.v1',
  attemptFailed: 'attempt-failed.v1',
  succeeded: 'succeeded.v1',
  failed: 'failed.v1',
};
const grant = { name: 'toy.bot', reads: [], looksUp: [effects], writes: [effects] };
const cause: RecordedEvent = {
  id: '018f0000-0000-7000-8000-000000000000',
  type: 'toy.do.v1',
  stream: 'toy.operation-a',
  revision: 0n,
  position: 1n,
  created: 0,
  data: {},
  metadata: {},
  checked: false,
};

let temporary: TemporaryStore;
let faults: Faults;
let now: number;

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  faults = {};
  now = 0;
});
afterEach(() => temporary.remove());

type Perform = Effect<typeof effects>['perform'];

function run(
  perform: Perform,
  delivery: 'atLeastOnce' | 'atMostOnce' = 'atLeastOnce',
  stop = new AbortController(),
  turn?: (now: number) => number,
  lease?: Lease,
) {
  const access = new StreamAccess(withFaults(temporary.store, faults), grant);
  const clock = () => now;
  const context = new RecordContext(access, cause, 'a', stop.signal, clock, undefined, lease) as Effect<
    typeof effects
  >['context'];
  const effect = { context, stream: effects, key: 'a', types, notAfter: 100, delivery, delays: [10], perform };
  return runEffect({ ...effect, ...(turn && { turn }) });
}

const succeeds: Perform = (attempt) => Promise.resolve({ receipt: attempt });
const busy: Attempt = { failure: 'busy', kind: 'transient', doubtful: false };
const notPerformed: Perform = () => Promise.reject(new Error('must not be performed'));

async function history(): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const { type, data } of temporary.store.readStream('toy.event-a')) events.push({ type, data });
  return events;
}

const claimed = (attempt: number, afterDoubt = false) => ({ type: types.claimed, data: { attempt, afterDoubt } });
const succeeded = (attempt: number) => ({ type: types.succeeded, data: { attempt, receipt: attempt } });

/** A run that is killed while the effect takes place. */
async function crash(): Promise<void> {
  await expect(run(() => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
}

describe('runEffect', () => {
  it('claims, performs, and records the outcome; a second run does nothing', async () => {
    await run(succeeds);
    await run(notPerformed);
    expect(await history()).toEqual([claimed(1), succeeded(1)]);
  });

  it('comes back for the next attempt, no earlier than it is due', async () => {
    await expect(run(() => Promise.resolve(busy))).rejects.toMatchObject({ dueAt: 10 });
    now = 9;
    await expect(run(notPerformed)).rejects.toThrow(RetryLater);
    now = 10;
    await run(succeeds);
    const failure = { type: types.attemptFailed, data: { attempt: 1, failure: 'busy', retryAt: 10 } };
    expect(await history()).toEqual([claimed(1), failure, claimed(2), succeeded(2)]);
  });

  it('repeats an attempt that a crash left in doubt, and says so', async () => {
    await crash();
    await run(succeeds);
    expect(await history()).toEqual([claimed(1), claimed(2, true), succeeded(2)]);
  });

  it('gives an attempt in doubt up where delivery is at most once', async () => {
    await crash();
    await run(notPerformed, 'atMostOnce');
    const failed = { type: types.failed, data: { attempt: 1, reason: 'inDoubt', failure: null } };
    expect(await history()).toEqual([claimed(1), failed]);
  });

  it('claims nothing without its lease, and performs nothing that it lost it for after the claim', async () => {
    let checks = 0;
    const leaseFor = (good: number): Lease => ({
      slot: 'bots.0',
      epoch: 1,
      lose: () => undefined,
      check: () => {
        checks += 1;
        if (checks > good) throw new LeaseLost('bots.0');
      },
    });
    await expect(run(notPerformed, 'atLeastOnce', undefined, undefined, leaseFor(0))).rejects.toThrow(LeaseLost);
    expect(await history()).toEqual([]);
    checks = 0;
    await expect(run(notPerformed, 'atLeastOnce', undefined, undefined, leaseFor(1))).rejects.toThrow(LeaseLost);
    expect(await history()).toEqual([claimed(1)]);
    // Whoever has the lease now cannot know.
    await run(succeeds);
    expect(await history()).toEqual([claimed(1), claimed(2, true), succeeded(2)]);
  });

  it('is claimed by one of two workers at a time', async () => {
    let performed = 0;
    const perform: Perform = (attempt) => {
      performed += 1;
      return succeeds(attempt);
    };
    await Promise.all([run(perform, 'atMostOnce'), run(perform, 'atMostOnce')]);
    expect(performed).toBe(1);
    const events = (await history()) as { type: string }[];
    expect(events.filter(({ type }) => type === types.claimed)).toHaveLength(1);
    expect(events).toContainEqual(succeeded(1));
  });

  it('tells of a success that another worker took for doubt', async () => {
    await run(async (attempt) => {
      // Meanwhile, elsewhere:
      await run(notPerformed, 'atMostOnce');
      return { receipt: attempt };
    });
    const failed = { type: types.failed, data: { attempt: 1, reason: 'inDoubt', failure: null } };
    expect(await history()).toEqual([claimed(1), failed, succeeded(1)]);
  });

  it('records a known outcome in spite of an outage, once', async () => {
    let appends = 0;
    faults.beforeAppend = () => {
      appends += 1;
      if (appends === 2) throw new StoreUnavailable('gone');
    };
    faults.afterAppend = () => {
      if (appends === 3) throw new StoreUnavailable('no answer');
    };
    await run(succeeds);
    expect(appends).toBe(4);
    expect(await history()).toEqual([claimed(1), succeeded(1)]);
  });

  it('does not wait for the store when the consumer stops', async () => {
    const stop = new AbortController();
    faults.beforeAppend = () => {
      stop.abort();
      throw new StoreUnavailable('gone');
    };
    await expect(run(notPerformed, 'atLeastOnce', stop)).rejects.toThrow(StoreUnavailable);
  });

  it('is not performed after its time', async () => {
    now = 101;
    await run(notPerformed);
    expect(await history()).toEqual([{ type: types.failed, data: { attempt: 0, reason: 'expired', failure: null } }]);
  });

  describe('with turns', () => {
    const noTurn = () => {
      throw new Error('must not be asked');
    };
    const paced = (turn: (now: number) => number, perform: Perform = succeeds) =>
      run(perform, 'atLeastOnce', new AbortController(), turn);

    it('comes back for its turn, claiming nothing before', async () => {
      await expect(paced(() => 50, notPerformed)).rejects.toMatchObject({ dueAt: 50 });
      expect(await history()).toEqual([]);
      now = 50;
      await paced((at) => at);
      expect(await history()).toEqual([claimed(1), succeeded(1)]);
    });

    it('comes back when its time is over where its turn would be later', async () => {
      await expect(paced(() => 5_000, notPerformed)).rejects.toMatchObject({ dueAt: 101 });
    });

    it('takes no turn when it is settled, not due, or late', async () => {
      await expect(
        paced(
          (at) => at,
          () => Promise.resolve(busy),
        ),
      ).rejects.toMatchObject({ dueAt: 10 });
      await expect(paced(noTurn)).rejects.toMatchObject({ dueAt: 10 });
      now = 101;
      await paced(noTurn);
      await paced(noTurn);
      const failure = { type: types.attemptFailed, data: { attempt: 1, failure: 'busy', retryAt: 10 } };
      const failed = { type: types.failed, data: { attempt: 1, reason: 'exhausted', failure: null } };
      expect(await history()).toEqual([claimed(1), failure, failed]);
    });
  });
});
