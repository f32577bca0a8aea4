import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findJsonError } from './json-error.js';

test.each([
  ['{"a": oops}', 6],
  ['{"a" 1}', 5],
  ['{a: 1}', 1],
  ["{'a': 1}", 1],
  ['{"a": 1,}', 8],
  ['[1,]', 3],
  ['[1 2]', 3],
  ['[1}', 2],
  ['01', 0],
  ['[1.]', 1],
  ['[-]', 1],
  ['truely', 0],
  ['"a\nb"', 2],
  ['"\\x"', 1],
  ['{} {}', 3],
  ['', 0],
  ['   ', 3],
  ['{"a": [1, {"b": ', 16],
  ['"abc', 4],
  ['[', 1],
])('%j is wrong at %d', (text, offset) => {
  expect(findJsonError(text)).toBe(offset);
});

test('valid JSON has no error before its end, and with something after it the error is there', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(findJsonError(json)).toBe(json.length);
      expect(findJsonError(`${json} ]`)).toBe(json.length + 1);
    }),
  );
});
