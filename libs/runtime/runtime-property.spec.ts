import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import {
  enqueue,
  eventually,
  TemporaryStore,
  toyEvents,
  ToyFlow,
  withFaults,
  type ToyContext,
  type ToyRecord,
} from '#libs/testing';

/** What becomes of one append of the toy handler: nothing wrong, refused, not known, or the process dies with it. */
type Fate = 'written' | 'refused' | 'unknown' | 'killedBefore' | 'killedAfter';

const fates = fc.array(fc.constantFrom<Fate>('written', 'refused', 'unknown', 'killedBefore', 'killedAfter'), {
  maxLength: 12,
});
const toyFlows = ['a', 'b', 'c'];
const work = fc.array(fc.constantFrom(...toyFlows), { minLength: 1, maxLength: 8 });

/** One event for each operation, at the revision where the stream is: decided anew until it is written. */
async function handle(record: ToyRecord, context: ToyContext): Promise<void> {
  const written = await context.read(toyEvents, context.correlationId);
  if (written.some(({ metadata }) => metadata.$causationId === record.id)) return;
  const revision = written.at(-1)?.revision ?? 'noStream';
  const event = { type: 'toy.done.v1' as const, data: { n: record.data.n } };
  await context.append(context.write(toyEvents, context.correlationId, revision, [event]));
}

async function eventsOf(store: TemporaryStore['store'], flow: string): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const { data } of store.readStream(`toy.event-${flow}`)) events.push((data as { n: number }).n);
  return events;
}

/** The store as one process sees it: gone for that process once it is killed. */
function storeOf(store: EventStore, fates: Fate[], onKill: () => void): EventStore {
  let dead = false;
  const isEvent = ([stream]: readonly string[]) => stream!.startsWith('toy.event');
  const next = (...kinds: readonly Fate[]) => (kinds.includes(fates[0]!) ? fates.shift() : undefined);
  const kill = () => {
    dead = true;
    onKill();
  };
  return withFaults(store, {
    beforeAppend(streams) {
      const fate = isEvent(streams) && !dead ? next('refused', 'killedBefore') : undefined;
      if (fate === 'refused') throw new Error('refused');
      if (fate === 'killedBefore') kill();
      if (dead) throw new StoreUnavailable('killed', true);
    },
    afterAppend(streams) {
      const fate = isEvent(streams) && !dead ? next('written', 'unknown', 'killedAfter') : undefined;
      if (fate === 'killedAfter') kill();
      if (dead || fate === 'unknown') throw new StoreUnavailable('no answer', dead);
    },
  });
}

describe('whatever fails and whenever the process is killed', () => {
  it('the streams are those of a run without failures', async () => {
    await fc.assert(
      fc.asyncProperty(work, fates, async (work, fates) => {
        const temporary = await TemporaryStore.open();
        const { store } = temporary;
        const left = [...fates];
        const written = async () => (await Promise.all(toyFlows.map((flow) => eventsOf(store, flow)))).flat().length;
        try {
          for (const [n, flow] of work.entries()) await enqueue(store, flow, n);
          for (let life = 0; (await written()) < work.length; life += 1) {
            let killed = false;
            const process = await ToyFlow.start(
              storeOf(store, left, () => (killed = true)),
              { handle, retry: { immediate: [0], later: fates.map(() => 0) }, strictOrder: true },
            );
            await eventually(async () => killed || (await written()) === work.length);
            await process.drain();
            // What the process had handed to the store before it was killed is written now.
            await store.append(`life.event-${life}`, 'noStream', [{ id: newId(), type: 'life.ended.v1', data: {} }]);
          }
          for (const flow of toyFlows) {
            const expected = [...work.entries()].filter(([, of]) => of === flow).map(([n]) => n);
            expect(await eventsOf(store, flow)).toEqual(expected);
          }
        } finally {
          await temporary.remove();
        }
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
