import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defineStream, newId, type RecordedEvent, type Schema } from '#libs/kernel';
import { TemporaryStore } from '#libs/testing';
import { RetryLater } from '../retry/retry-later.js';
import { RecordContext, StreamAccess } from '../topology/access.js';
import type { Attempt } from './attempt.js';
import { cancelEffect } from './cancel-effect.js';
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
type Context = Effect<typeof effects>['context'];

let temporary: TemporaryStore;
beforeEach(async () => {
  temporary = await TemporaryStore.open();
});
afterEach(() => temporary.remove());

type Pace = <Result>(step: () => Promise<Result>) => Promise<Result>;

/** @param pace lets each read and append begin */
function contextOf(type: string, pace: Pace = (step) => step(), now = 0): Context {
  const cause: RecordedEvent = {
    id: newId(),
    type,
    stream: 'toy.operation-a',
    revision: 0n,
    position: 1n,
    created: 0,
    data: {},
    metadata: {},
    checked: false,
  };
  const access = new StreamAccess(temporary.store, grant);
  const context = new RecordContext(access, cause, 'a', new AbortController().signal, () => now) as Context;
  const append: Context['append'] = (...appends) => pace(() => context.append(...appends));
  const readUnchecked: Context['readUnchecked'] = (...read) => pace(() => context.readUnchecked(...read));
  return Object.assign(Object.create(context) as Context, { append, readUnchecked });
}

const common = (key: string) => ({ stream: effects, key, types });
const policy = { notAfter: 100, delivery: 'atLeastOnce' as const, delays: [10] };
const cancelled = (attempt: number) => ({
  type: types.failed,
  data: { attempt, reason: 'cancelled', failure: null },
});

async function history(key: string): Promise<{ type: string; data: unknown }[]> {
  const events: { type: string; data: unknown }[] = [];
  for await (const { type, data } of temporary.store.readStream(`toy.event-${key}`)) events.push({ type, data });
  return events;
}

test('of a claim and a cancel at the same time exactly one is written, whoever is quicker', async () => {
  const winners = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.uuid(), async (scheduler, key) => {
      const begun: Promise<unknown>[] = [];
      const pace: Pace = async (step) => {
        await scheduler.schedule(Promise.resolve());
        const result = step();
        begun.push(result);
        return result;
      };
      // One step at a time, so that what follows from it can be the next.
      const stepByStep = async (step: () => Promise<void>) => {
        await step();
        await Promise.allSettled(begun);
        await setImmediate();
      };
      let performed = 0;
      const running = runEffect({
        ...common(key),
        ...policy,
        context: contextOf('toy.do.v1', pace),
        async perform(attempt) {
          performed += 1;
          await scheduler.schedule(Promise.resolve());
          return { receipt: attempt };
        },
      });
      const cancelling = cancelEffect({ ...common(key), context: contextOf('toy.cancel.v1', pace) });
      const [, settled] = await scheduler.waitFor(Promise.all([running, cancelling]), stepByStep);
      const events = await history(key);
      if (performed === 0) {
        expect(events).toEqual([cancelled(0)]);
        expect(settled).toBe(true);
      } else {
        expect(performed).toBe(1);
        expect(events.map(({ type }) => type)).toEqual([types.claimed, types.succeeded]);
      }
      winners.add(performed === 0 ? 'cancel' : settled ? 'effect' : 'claim');
    }),
    { numRuns: 200 },
  );
  expect([...winners].sort()).toEqual(['cancel', 'claim', 'effect']);
});

test('an attempt that was claimed before is not repeated once it has failed', async () => {
  const busy: Attempt = { failure: 'busy', kind: 'transient', doubtful: false };
  const context = contextOf('toy.cancel.v1');
  const during: boolean[] = [];
  const running = runEffect({
    ...common('a'),
    ...policy,
    context: contextOf('toy.do.v1'),
    async perform() {
      during.push(await cancelEffect({ ...common('a'), context }));
      return busy;
    },
  });
  await expect(running).rejects.toThrow(RetryLater);
  expect(during).toEqual([false]);
  expect(await cancelEffect({ ...common('a'), context })).toBe(true);
  expect(await cancelEffect({ ...common('a'), context })).toBe(true);
  const again = contextOf('toy.do.v1', undefined, 50);
  await runEffect({
    ...common('a'),
    ...policy,
    context: again,
    perform: () => Promise.reject(new Error('must not be performed')),
  });
  expect((await history('a')).slice(2)).toEqual([cancelled(1)]);
});
