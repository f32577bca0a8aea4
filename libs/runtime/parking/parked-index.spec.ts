import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/kernel';
import { enqueue, eventually, TemporaryStore, ToyFlow } from '#libs/testing';
import { unsplit } from '../consumer/split.js';
import { ParkedIndex } from './parked-index.js';

const name = 'toy.consumer';

let temporary: TemporaryStore;
let flow: ToyFlow;
let index: ParkedIndex;

beforeEach(async () => {
  temporary = await TemporaryStore.open();
  flow = await ToyFlow.start(temporary.store, {
    handle: async () => {
      throw new Error('broken');
    },
    retry: { immediate: [], later: [] },
  });
  for (let n = 1; n <= 4; n += 1) await enqueue(temporary.store, `flow-${n}`, n);
  await eventually(async () => (await parkedInStore()) === 4);
});

afterEach(async () => {
  await index.close();
  await flow.drain();
  await temporary.remove();
});

async function parkedInStore(): Promise<number> {
  let count = 0;
  for await (const { type } of temporary.store.readStream(`runtime.parked-${name}`)) {
    if (type === 'runtime.record-parked.v1') count += 1;
  }
  return count;
}

function open(most: number): Promise<ParkedIndex> {
  return ParkedIndex.open({ store: temporary.store, handlers: [flow.consumer.handler], split: unsplit, most });
}

describe('the index of parked records', () => {
  it('has what was parked before and what is parked since, and loses what is released', async () => {
    index = await open(100);
    expect(index.list(name)).toEqual(flow.consumer.listParked());
    await enqueue(temporary.store, 'flow-5', 5);
    await eventually(() => index.countOf(name) === 5);
    const { record } = index.list(name)[0]!;
    const parking = index.parkingOf(name, record)!;
    const released = index.released(name, [parking], 20_000);
    await flow.consumer.archive(record);
    expect(await released).toEqual(new Set());
    expect(index.countOf(name)).toBe(4);
    expect(index.listArchived(name)).toMatchObject([{ record, archivedAt: expect.any(Number) }]);
    expect(await index.released(name, [parking], 0)).toEqual(new Set());
  });

  it('says what is left when the time is over', async () => {
    index = await open(100);
    const parkings = index.list(name).map(({ record }) => index.parkingOf(name, record)!);
    expect(await index.released(name, parkings, 1)).toEqual(new Set(parkings));
  });

  it('keeps no more than it may, counts the others, and lists them once there is room', async () => {
    index = await open(2);
    const all = flow.consumer.listParked();
    expect([index.list(name), index.countOf(name), index.omitted]).toEqual([all.slice(0, 2), 4, 2]);
    await flow.consumer.archive(all[3]!.record);
    await eventually(() => index.omitted === 1);
    expect(index.list(name)).toEqual(all.slice(0, 2));
    for (const { record } of all.slice(0, 2)) await flow.consumer.archive(record);
    await eventually(() => index.list(name).length === 1);
    expect([index.list(name), index.omitted]).toEqual([[all[2]], 0]);
    await flow.consumer.archive(all[2]!.record);
    await eventually(() => index.countOf(name) === 0);
    // Of the archived ones those that were archived last.
    expect(index.listArchived(name).map(({ record }) => record)).toEqual([all[1]!.record, all[2]!.record]);
  });

  it('lists what is parked, however much was parked and released before', async () => {
    const all = flow.consumer.listParked();
    for (const { record } of all.slice(0, 3)) await flow.consumer.archive(record);
    index = await open(2);
    await eventually(() => index.omitted === 0);
    expect(index.list(name)).toEqual([all[3]]);
  });

  it('is not led astray by what the runtime has not written', async () => {
    index = await open(100);
    const stream = `runtime.parked-${name}`;
    await temporary.store.append(stream, 'any', [{ id: newId(), type: 'from.the-future.v9', data: {} }]);
    await temporary.store.append(`${stream}.9`, 'any', [
      { id: newId(), type: 'runtime.record-parked.v1', data: { record: {}, correlationId: 'x', tries: [] } },
    ]);
    await enqueue(temporary.store, 'flow-5', 5);
    // The consumer finds its stream written by another one and stops; what it had parked is known.
    await eventually(() => flow.failures.some(({ action }) => action === 'stopped'));
    expect(index.countOf(name)).toBe(4);
  });
});
