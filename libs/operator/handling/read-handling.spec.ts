import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { newId, type RecordedEvent } from '#libs/kernel';
import { enqueue, eventually, TemporaryStore, ToyFlow, toyOperations, type ToyRecord } from '#libs/testing';
import { readHandling } from './read-handling.js';

const ttl = 900;
const names = Array.from({ length: 8 }, (_, index) => `flow-${index}`);

let temporary: TemporaryStore;
let running: ToyFlow[];

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((flow) => flow.drain()));
  await temporary.remove();
});

/** A process of its own; what is 3 it gives up. */
async function join(partitions: number, asksOnly = false): Promise<ToyFlow> {
  const flow = await ToyFlow.start(temporary.store, {
    handle: async ({ data: { n } }: ToyRecord) => {
      if (n === 3) throw new Error('broken');
    },
    retry: { immediate: [], later: [] },
    asksOnly,
    sharing: { member: newId(), partitions, ttl },
  });
  running.push(flow);
  return flow;
}

async function told({ runtime, topology }: ToyFlow): Promise<readonly string[]> {
  const records: RecordedEvent[] = [];
  const filter = { categories: [toyOperations.category] };
  for await (const record of temporary.store.readAll({ filter })) records.push(record);
  const services = { store: temporary.store, runtime, topology };
  const all = await Promise.all(records.map((record) => readHandling(services, record)));
  return all.flat().map(({ transitions }) => transitions.map(({ type }) => type).join(' '));
}

it('tells of what was handled or parked while flows were split differently', async () => {
  const before = await join(4);
  for (const name of names) await enqueue(temporary.store, name, 1);
  for (const name of names) await enqueue(temporary.store, name, 3);
  const isDone = ({ consumer }: ToyFlow) => consumer.status().handled + consumer.status().parked === 2 * names.length;
  await eventually(() => isDone(before));
  const expected = [...names.map(() => 'pending handled'), ...names.map(() => 'pending failed parked')];
  expect(await told(before)).toEqual(expected);
  await before.drain();

  const asking = await join(3, true);
  expect(await told(asking)).toEqual(expected);
  const after = await join(3);
  await eventually(() => after.consumer.status().parked === names.length);
  expect(await told(asking)).toEqual(expected);
  expect(await told(after)).toEqual(expected);
});
