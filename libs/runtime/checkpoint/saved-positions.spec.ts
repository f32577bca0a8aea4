import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { newId } from '#libs/kernel';
import { enqueue, TemporaryStore, toyOperations } from '#libs/testing';
import { defineBot } from '../topology/handler.js';
import { partitionOf } from '../consumer/partitions.js';
import { unsplit, type Split } from '../consumer/split.js';
import { SavedPositions } from './saved-positions.js';

const partitions = 2;
const split: Split = { generation: 1, count: partitions, since: 0n, before: unsplit };
const handler = defineBot({
  name: 'toy.consumer',
  reads: [toyOperations],
  writes: [],
  create: (_services: object) => ({ handle: () => Promise.resolve() }),
});
const flowOf = (partition: number) =>
  Array.from({ length: 100 }, (_, n) => `flow-${n}`).find((flow) => partitionOf(flow, partitions) === partition)!;

let temporary: TemporaryStore;

beforeEach(async () => {
  temporary = await TemporaryStore.open();
});
afterEach(() => temporary.remove());

/** As the process saves it that has the partition; answers where that record stands. */
async function save(partition: number, position: bigint): Promise<bigint> {
  const data = { position: String(position) };
  const event = { id: newId(), type: 'runtime.checkpoint-reached.v1', data };
  const stream = `runtime.checkpoint-toy.consumer.${partition}`;
  return (await temporary.store.append(stream, 'any', [event])).position!;
}

it('goes up to the first record that its partition has not passed, wherever the partitions are', async () => {
  const { store } = temporary;
  const saved = new SavedPositions(store, handler, () => split);
  const nowhere = () => undefined;
  expect(await saved.least(nowhere)).toBe(0n);
  await enqueue(store, flowOf(0), 1);
  const first = await store.head();
  await enqueue(store, flowOf(1), 2);
  const second = await store.head();
  expect(await saved.least(nowhere)).toBe(first - 1n);
  await save(0, first);
  // Partition 1 has saved nothing yet, and has nothing before its first record.
  expect(await saved.least(nowhere)).toBe(second - 1n);
  const head = await save(1, second);
  // Partition 0 has nothing to do after its checkpoint.
  expect(await saved.least(nowhere)).toBe(head);
  await enqueue(store, flowOf(0), 3);
  const third = await store.head();
  expect(await saved.least(nowhere)).toBe(third - 1n);
  expect(await saved.least((partition) => (partition === 0 ? third : undefined))).toBe(third);
  expect(await saved.least(() => first)).toBe(first);
});
