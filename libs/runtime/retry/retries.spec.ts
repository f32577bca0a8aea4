import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually, TemporaryStore } from '#libs/testing';
import type { RetryScheduled } from '../streams.js';
import { Retries } from './retries.js';

const streamName = 'runtime.retry-toy.consumer';

let temporary: TemporaryStore;

beforeEach(async () => {
  temporary = await TemporaryStore.open();
});

afterEach(() => temporary.remove());

async function load(): Promise<Retries> {
  const { signal } = new AbortController();
  const retries = new Retries(temporary.store, 'toy.consumer', false, Date.now, signal, () => Promise.resolve());
  await retries.load([]);
  return retries;
}

function entry(n: number): RetryScheduled {
  const record = { id: String(n), type: 'toy.do.v1', stream: `toy.operation-${n}`, revision: '0', position: String(n) };
  return { record, correlationId: String(n), dueAt: 0, tries: [] };
}

async function scheduleAndEnd(retries: Retries, entries: readonly RetryScheduled[]): Promise<void> {
  await Promise.all(entries.map((each) => retries.schedule(each)));
  await Promise.all(entries.map((each) => retries.end(each, 'handled')));
}

async function revisions(): Promise<bigint[]> {
  const found: bigint[] = [];
  for await (const { revision } of temporary.store.readStream(streamName)) found.push(revision);
  return found;
}

test('the retry stream keeps its last entries only, and goes on after a restart all the same', async () => {
  const retries = await load();
  await scheduleAndEnd(
    retries,
    Array.from({ length: 5_600 }, (_, n) => entry(n)),
  );
  await eventually(async () => (await temporary.store.getStreamMetadata(streamName)).truncateBefore);
  const kept = await revisions();
  expect(kept.at(-1)).toBe(11_199n);
  expect(kept.length).toBeGreaterThanOrEqual(10_000);
  expect(kept.length).toBeLessThan(11_200);

  const restarted = await load();
  expect(restarted.size).toBe(0);
  await restarted.schedule(entry(7));
  expect((await load()).size).toBe(1);
});

test('nothing is taken away while a record is still to be tried again', async () => {
  const retries = await load();
  await retries.schedule(entry(0));
  await scheduleAndEnd(
    retries,
    Array.from({ length: 5_600 }, (_, n) => entry(n + 1)),
  );
  expect(await temporary.store.getStreamMetadata(streamName)).toEqual({});
  expect((await load()).size).toBe(1);
});
