import { expect, test } from '@jest/globals';
import { asOfParameter } from './as-of.js';

test('a time, a position, or nothing', () => {
  expect(asOfParameter(undefined)).toBeUndefined();
  expect(asOfParameter('2026-01-31T12:00:00Z')).toEqual({ time: Date.UTC(2026, 0, 31, 12) });
  // Records have milliseconds: one of the same millisecond is not later.
  expect(asOfParameter('2026-01-31T12:00:00.1239+02:00')).toEqual({ time: Date.UTC(2026, 0, 31, 10, 0, 0, 123) });
  expect(asOfParameter('0')).toEqual({ position: 0n });
  expect(asOfParameter('2026')).toEqual({ position: 2026n });
});

test.each(['', 'soon', '-1', '007', '1e3', '9223372036854775808', '2026-01-31', '2026-02-30T12:00:00Z', ['1', '2']])(
  'refused: %s',
  (value) => {
    expect(() => asOfParameter(value)).toThrow(/^asOf: /);
  },
);
