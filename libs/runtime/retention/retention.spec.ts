import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { defineStream, newId, type Schema } from '#libs/kernel';
import { defineBot, defineTopology, stream, truncateStreams } from '#libs/runtime';
import { TemporaryStore } from '#libs/testing';

const anything: Schema<object> = { problems: () => [] };
const toys = defineStream('toy', 'event', { 'toy.made.v1': anything });
const painter = defineBot({ name: 'toy.painter', reads: [toys], writes: [], create: () => ({ handle }) });
const seller = defineBot({ name: 'toy.seller', reads: [toys], writes: [], create: () => ({ handle }) });
const handle = () => Promise.resolve();

let temporary: TemporaryStore;
/** Of the first three records. */
let positions: bigint[];

/** The first two records can go, once everybody is done with the second one. */
const topology = defineTopology([
  stream(toys, {
    producers: [],
    consumers: [painter, seller],
    retention: {
      until: 'the second one',
      looksUp: [],
      expendable: () => Promise.resolve([{ key: 'one', before: 2n, after: positions[1]! }]),
    },
  }),
]);

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  positions = [];
  for (const revision of ['noStream', 0n, 1n] as const) {
    const event = { id: newId(), type: 'toy.made.v1', data: {} };
    positions.push((await temporary.store.append('toy.event-one', revision, [event])).position!);
  }
  await reached('toy.painter', 2);
  await reached('toy.seller', 1);
});

afterEach(() => temporary.remove());

async function keep(streamName: string, type: string, data: object): Promise<void> {
  await temporary.store.append(streamName, 'any', [{ id: newId(), type: `runtime.${type}.v1`, data }]);
}

const reached = (consumer: string, place: number) =>
  keep(`runtime.checkpoint-${consumer}`, 'checkpoint-reached', { position: String(positions[place]) });

function recordAt(place: number) {
  const position = String(positions[place]);
  return { id: `id-${place}`, type: 'toy.made.v1', stream: 'toy.event-one', revision: String(place), position };
}
const retry = (place: number) =>
  keep('runtime.retry-toy.seller', 'retry-scheduled', {
    record: recordAt(place),
    correlationId: 'one',
    dueAt: null,
    tries: [],
  });
const retried = (place: number) =>
  keep('runtime.retry-toy.seller', 'retry-ended', {
    recordId: `id-${place}`,
    stream: 'toy.event-one',
    outcome: 'handled',
  });
const park = (place: number) =>
  keep('runtime.parked-toy.seller', 'record-parked', { record: recordAt(place), correlationId: 'one', tries: [] });
const unpark = (place: number, how: 'redriven' | 'archived') =>
  keep('runtime.parked-toy.seller', `record-${how}`, { recordId: `id-${place}`, stream: 'toy.event-one' });

/** How many records are left once the retention has had its turn. */
async function left(): Promise<number> {
  await truncateStreams(temporary.store, topology);
  let count = 0;
  for await (const _ of temporary.store.readStream('toy.event-one')) count += 1;
  return count;
}

test('what nobody needs any more is truncated once every consumer is done with it', async () => {
  expect(await left()).toBe(1);
});

test('nothing is truncated twice', async () => {
  await left();
  const head = await temporary.store.head();
  await left();
  expect(await temporary.store.head()).toBe(head);
});

test('nothing is truncated that one of the consumers has not reached', async () => {
  await reached('toy.seller', 0);
  expect(await left()).toBe(3);
});

test('nothing is truncated before a consumer has run at all', async () => {
  await temporary.store.deleteStream('runtime.checkpoint-toy.painter', 0n);
  expect(await left()).toBe(3);
});

test('nothing is truncated that is tried again', async () => {
  await retry(0);
  expect(await left()).toBe(3);
  await retried(0);
  expect(await left()).toBe(1);
});

test('nothing is truncated that may be redriven', async () => {
  await park(1);
  expect(await left()).toBe(3);
  await retry(1);
  await unpark(1, 'redriven');
  expect(await left()).toBe(3);
  await retried(1);
  expect(await left()).toBe(1);
});

test('what was given up holds up nothing, nor what came later', async () => {
  await park(0);
  await unpark(0, 'archived');
  await park(2);
  await retry(2);
  expect(await left()).toBe(1);
});
