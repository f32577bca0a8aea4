import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ChannelPacer } from './channel-pacer.js';

const interval = 1_000;
const pacer = () => new ChannelPacer(interval);

test('the first comes at once, the next an interval later, each at a time of its own', () => {
  const pace = pacer();
  expect(pace.turn('C1', 'a', 5_000)).toBe(5_000);
  expect(pace.turn('C1', 'b', 5_000)).toBe(6_000);
  expect(pace.turn('C1', 'c', 5_200)).toBe(7_000);
  expect(pace.turn('C1', 'b', 6_000)).toBe(6_000);
  expect(pace.turn('C1', 'd', 6_000)).toBe(8_000);
  expect(pace.turn('C1', 'c', 7_001)).toBe(7_001);
});

test('another channel is not held up', () => {
  const pace = pacer();
  for (const operation of ['a', 'b', 'c']) pace.turn('C1', operation, 0);
  expect(pace.turn('C2', 'd', 0)).toBe(0);
});

test('who comes too early is told the same time again', () => {
  const pace = pacer();
  pace.turn('C1', 'a', 0);
  expect(pace.turn('C1', 'b', 0)).toBe(1_000);
  expect(pace.turn('C1', 'b', 999)).toBe(1_000);
  expect(pace.turn('C1', 'c', 999)).toBe(2_000);
});

test('an idle channel saves nothing up', () => {
  const pace = pacer();
  pace.turn('C1', 'a', 0);
  expect(pace.turn('C1', 'b', 60_000)).toBe(60_000);
  expect(pace.turn('C1', 'c', 60_000)).toBe(61_000);
});

test('those who all come late, as after a standstill, do not come at once', () => {
  const pace = pacer();
  const operations = ['a', 'b', 'c', 'd'];
  for (const operation of operations) pace.turn('C1', operation, 0);
  expect(pace.turn('C1', 'b', 10_000)).toBe(10_000);
  expect(pace.turn('C1', 'c', 10_000)).toBe(11_000);
  expect(pace.turn('C1', 'd', 10_000)).toBe(12_000);
});

test('a pause moves everybody, in order, behind the one that was told so', () => {
  const pace = pacer();
  for (const operation of ['a', 'b', 'c']) pace.turn('C1', operation, 0);
  pace.pause('C1', 'a', 30_000, 100);
  expect(pace.turn('C2', 'x', 100)).toBe(100);
  expect(pace.turn('C1', 'b', 1_000)).toBe(31_000);
  expect(pace.turn('C1', 'c', 2_000)).toBe(32_000);
  expect(pace.turn('C1', 'd', 2_000)).toBe(33_000);
  expect(pace.turn('C1', 'a', 29_999)).toBe(30_000);
  expect(pace.turn('C1', 'a', 30_000)).toBe(30_000);
  expect(pace.turn('C1', 'b', 31_000)).toBe(31_000);
});

test('a turn that would come too late for one is kept for another', () => {
  const pace = pacer();
  pace.turn('C1', 'a', 0);
  expect(pace.turn('C1', 'b', 0, 999)).toBe(1_000);
  expect(pace.turn('C1', 'c', 0, 1_000)).toBe(1_000);
  expect(pace.turn('C1', 'd', 0)).toBe(2_000);
  pace.pause('C1', 'a', 5_000, 0);
  expect(pace.turn('C1', 'd', 2_000)).toBe(7_000);
  expect(pace.turn('C1', 'c', 2_000, 1_000)).toBe(8_000);
  expect(pace.turn('C1', 'e', 2_000)).toBe(8_000);
});

test('a pause of a channel where nobody waits', () => {
  const pace = pacer();
  pace.turn('C1', 'a', 0);
  pace.pause('C1', 'a', 5_000, 100);
  expect(pace.turn('C1', 'b', 100)).toBe(6_000);
  expect(pace.turn('C1', 'a', 5_000)).toBe(5_000);
  expect(pace.turn('C1', 'b', 6_000)).toBe(6_000);
});

test('a turn that nobody comes for is forgotten', () => {
  const pace = pacer();
  pace.turn('C1', 'a', 0);
  pace.turn('C1', 'b', 0);
  expect(pace.turn('C1', 'c', 100_000)).toBe(100_000);
  expect(pace.turn('C1', 'b', 100_000)).toBe(101_000);
});

test('a clock that is set back does not stop a channel', () => {
  const pace = pacer();
  pace.turn('C1', 'a', 1_000_000);
  expect(pace.turn('C1', 'b', 0)).toBe(0);
});

test('whoever comes when: turns are at least half an interval apart, and never sooner than told', () => {
  const steps = fc.array(fc.record({ operation: fc.nat(20), wait: fc.nat(3_000), rests: fc.boolean() }), {
    maxLength: 100,
  });
  fc.assert(
    fc.property(steps, (given) => {
      const pace = pacer();
      const told = new Map<number, number>();
      let now = 0;
      let last = -Infinity;
      for (const { operation, wait, rests } of given) {
        if (rests) now += wait;
        const at = pace.turn('C1', String(operation), now);
        if (at > now) {
          told.set(operation, at);
          continue;
        }
        expect(now).toBeGreaterThanOrEqual(told.get(operation) ?? -Infinity);
        expect(now - last).toBeGreaterThanOrEqual(interval / 2);
        told.delete(operation);
        last = now;
      }
    }),
  );
});
