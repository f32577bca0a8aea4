import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, streamName, type RecordedEvent } from '#libs/kernel';
import { TemporaryStore, toyEvents } from '#libs/testing';
import { loadAggregate } from '../aggregate/cached-aggregates.js';
import { openClient } from './access.js';
import { defineClient } from './handler.js';
import { readerAsOf } from './moment.js';

const toyClient = defineClient({ name: 'toy.client', looksUp: [toyEvents], writes: [toyEvents] });
const total = 450;

let opened: TemporaryStore;
let records: readonly RecordedEvent[];

function open() {
  return openClient(opened.store, toyClient);
}

beforeAll(async () => {
  opened = await TemporaryStore.open();
  for (let n = 0; n < total; n += 1) {
    for (const key of ['one', 'other']) {
      const event = { id: newId(), type: 'toy.done.v1', data: { n } };
      await opened.store.append(streamName(toyEvents, key), n === 0 ? 'noStream' : BigInt(n - 1), [event]);
    }
  }
  records = await open().read(toyEvents, 'one');
});

afterAll(() => opened.remove());

test.each([0, 1, 199, 200, 201, 399, 400, 449])('a stream ends with its record %d, at its position', async (n) => {
  const reader = readerAsOf(open(), { position: records[n]!.position });
  expect(await reader.read(toyEvents, 'one')).toHaveLength(n + 1);
  expect((await reader.last(toyEvents, 'one'))!.data.n).toBe(n);
  // Appended after it.
  expect((await reader.last(toyEvents, 'other'))?.data.n).toBe(n === 0 ? undefined : n - 1);
  const counting = { initial: () => 0, evolve: (count: number) => count + 1 };
  expect((await loadAggregate(reader, toyEvents, counting, 'one')).state).toBe(n + 1);
});

test('before its first record, a stream is empty', async () => {
  const reader = readerAsOf(open(), { position: records[0]!.position - 1n });
  expect(await reader.read(toyEvents, 'one')).toEqual([]);
  expect(await reader.last(toyEvents, 'one')).toBeUndefined();
});

test('at a time stands all that was recorded then or before', async () => {
  for (const time of new Set(records.map(({ created }) => created))) {
    const stood = records.filter(({ created }) => created <= time);
    expect(await readerAsOf(open(), { time }).read(toyEvents, 'one')).toHaveLength(stood.length);
  }
  expect(await readerAsOf(open(), { time: records[0]!.created - 1 }).read(toyEvents, 'one')).toEqual([]);
});

test('directions, starts and limits are as without a moment', async () => {
  const reader = readerAsOf(open(), { position: records[250]!.position });
  const read = async (options: object) => (await reader.read(toyEvents, 'one', options)).map(({ data }) => data.n);
  expect(await read({ limit: 2 })).toEqual([0, 1]);
  expect(await read({ from: 249n })).toEqual([249, 250]);
  expect(await read({ direction: 'backwards', limit: 2 })).toEqual([250, 249]);
  expect(await read({ direction: 'backwards', from: 1n })).toEqual([1, 0]);
});
