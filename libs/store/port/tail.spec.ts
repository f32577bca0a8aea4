import { expect, test } from '@jest/globals';
import { newId, type RecordedEvent } from '#libs/kernel';
import { matcherOf, Tail } from './tail.js';

function record(position: number, stream = 'tail.tested-1'): RecordedEvent {
  return {
    id: newId(),
    type: 'tail.tested.v1',
    stream,
    revision: BigInt(position),
    position: BigInt(position),
    created: 0,
    data: {},
    metadata: {},
    checked: false,
  };
}

const everything = matcherOf(undefined);

test('keeps no more records than it may, and knows how far it reaches back', () => {
  const tail = new Tail(0n, 100, 1_000_000);
  for (let position = 1; position <= 1000; position += 1) tail.push([record(position)], [10]);
  expect(tail.head).toBe(1000n);
  expect(tail.after(899n, everything, 500)).toBeUndefined();
  const slice = tail.after(900n, everything, 500)!;
  expect(slice.events.map(({ position }) => position)).toEqual(Array.from({ length: 100 }, (_, n) => BigInt(901 + n)));
  expect(slice.scanned).toBe(1000n);
});

test('keeps no more JSON than it may', () => {
  const tail = new Tail(0n, 100, 1000);
  tail.push([record(1), record(2), record(3)], [600, 600, 300]);
  expect(tail.after(0n, everything, 10)).toBeUndefined();
  expect(tail.after(1n, everything, 10)!.events).toHaveLength(2);
  tail.push([record(4)], [5000]);
  expect(tail.after(3n, everything, 10)).toBeUndefined();
  expect(tail.after(4n, everything, 10)).toEqual({ events: [], scanned: 4n });
});

test('hands out up to a limit, and passes over what does not match', () => {
  const tail = new Tail(0n, 100, 1000);
  tail.push([record(1), record(2, 'tail.other-1'), record(3), record(5, '$$tail.tested-1')], [1, 1, 1, 1]);
  const matches = matcherOf({ categories: ['tail.tested'] });
  expect(tail.after(0n, matches, 1)).toMatchObject({ scanned: 1n, events: [{ position: 1n }] });
  expect(tail.after(1n, matches, 5)).toMatchObject({ scanned: 5n, events: [{ position: 3n }] });
  expect(tail.after(3n, everything, 5)).toEqual({ scanned: 5n, events: [] });
});

test('wakes whoever waits for a record at once, the others a moment later, and all at the end', async () => {
  const tail = new Tail(0n, 100, 1000);
  const woken: string[] = [];
  const wait = (name: string, category: string) =>
    tail.wait(0n, matcherOf({ categories: [category] }), undefined).then(() => woken.push(name));
  const waits = [wait('other', 'tail.other'), wait('wanted', 'tail.tested')];
  tail.push([record(1)], [1]);
  await waits[1];
  expect(woken).toEqual(['wanted']);
  await waits[0];
  const last = tail.wait(1n, everything, undefined);
  await tail.wait(1n, everything, AbortSignal.abort());
  tail.end();
  await last;
  await tail.wait(1n, everything, undefined);
});
