import { expect, test } from '@jest/globals';
import { matcherOf } from './regular-expression.js';

const limits = { length: 100, time: 50 };

test.each([
  '^notification\\.event-',
  '^[^$].*',
  '^(order|customer)-\\d+$',
  '(?:a|b)c*',
  '^(?<kind>order)-.{2,5}$',
  '[(*+]{2}',
  '\\(a+\\)+',
  '^ordern?-|^(customer)+-',
  '^a.*|^b.*|^c.*|^d.*|^e.*',
  '[^)|]*?-.+?-\\d{4}$',
  '^(a|b|c|d|e|f|g|h)-(x|y)',
  '(order\\d){2}',
])('%s is taken', (source) => {
  expect(() => matcherOf(source, limits)).not.toThrow();
});

test.each([
  '(a+)+',
  '(a*)*b',
  '(a|aa)+',
  '((a+)b)+',
  '(a{1,9}){1,9}',
  '(?:x*)+',
  '(a+){20}',
  '((a|b)c){2,3}',
  'a*a*a*a*',
  'a.*b.{2,}c.+d{1,2}',
  'a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaa',
  '(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)b',
  '(a)\\1',
  '(?<x>a)\\k<x>',
  '(?=a)b',
  '(?!a)b',
  '(?<=a)b',
  '(?<!a)b',
])('%s is refused as dangerous', (source) => {
  expect(() => matcherOf(source, limits)).toThrow('is not supported');
});

test('says which texts match', () => {
  expect(matcherOf('^b', limits)(['a', 'b', 'ab', 'ba'])).toEqual([false, true, false, true]);
});
