import { describe, expect, test } from '@jest/globals';
import {
  etagOf,
  integerParameter,
  limitParameter,
  positionParameter,
  Problem,
  revisionOf,
  textParameter,
  traceparentOf,
  verb,
  waitParameter,
} from './index.js';

function problemOf(action: () => unknown): Problem {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown;
  }
  throw new Error('no problem');
}

describe('parameters', () => {
  test('what is good', () => {
    expect(textParameter('a', undefined)).toBeUndefined();
    expect(textParameter('a', '')).toBe('');
    expect(integerParameter('n', '7', 0, 9)).toBe(7);
    expect(integerParameter('n', undefined, 0, 9)).toBeUndefined();
    expect(limitParameter(undefined)).toBe(50);
    expect(limitParameter('200')).toBe(200);
    expect(waitParameter(undefined)).toBe(0);
    expect(waitParameter('60')).toBe(60_000);
    expect(waitParameter('0.25')).toBe(250);
    expect(positionParameter('after', undefined)).toBeUndefined();
    expect(positionParameter('after', '9223372036854775807')).toBe(9223372036854775807n);
  });

  test.each<[string, () => unknown]>([
    ['a', () => textParameter('a', ['x', 'y'])],
    ['limit', () => limitParameter('0')],
    ['limit', () => limitParameter('201')],
    ['limit', () => limitParameter('')],
    ['limit', () => limitParameter('1e2')],
    ['limit', () => limitParameter('-1')],
    ['limit', () => limitParameter('007')],
    ['wait', () => waitParameter('61')],
    ['wait', () => waitParameter('60.001')],
    ['wait', () => waitParameter('-1')],
    ['wait', () => waitParameter('NaN')],
    ['after', () => positionParameter('after', '9223372036854775808')],
    ['after', () => positionParameter('after', '-1')],
    ['after', () => positionParameter('after', '1.5')],
  ])('a bad %s: %s', (path, action) => {
    const problem = problemOf(action);
    expect(problem.status).toBe(422);
    expect(problem.document.errors).toEqual([{ path, message: expect.any(String) }]);
  });
});

describe('entity tags', () => {
  test('there and back', () => {
    expect(etagOf(5n)).toBe('"5"');
    expect(revisionOf(etagOf(5n))).toBe(5n);
    expect(revisionOf(' "0" ')).toBe(0n);
    expect(revisionOf('*')).toBe('streamExists');
    expect(revisionOf(undefined)).toBeUndefined();
  });

  test.each(['', '5', '"5', '"5", "6"', 'w/"5"', '"a"b"'])('%j is malformed', (header) => {
    expect(problemOf(() => revisionOf(header)).status).toBe(422);
  });

  test.each(['W/"5"', '"abc"', '""', '"05"', '"99999999999999999999"'])('%j matches nothing', (header) => {
    expect(problemOf(() => revisionOf(header)).status).toBe(412);
  });
});

describe('traceparent', () => {
  const trace = '0af7651916cd43dd8448eb211c80319c';

  test.each([
    `00-${trace}-b7ad6b7169203331-01`,
    `cc-${trace}-b7ad6b7169203331-00`,
    `cc-${trace}-b7ad6b7169203331-01-more`,
  ])('%s', (header) => {
    expect(traceparentOf(header)).toBe(header);
  });

  test.each([
    undefined,
    '',
    5,
    [`00-${trace}-b7ad6b7169203331-01`],
    `00-${trace.toUpperCase()}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `ff-${trace}-b7ad6b7169203331-01`,
    `00-${trace}-b7ad6b7169203331-01-more`,
    `00-${trace}-b7ad6b7169203331`,
    `cc-${trace}-b7ad6b7169203331-01-${'x'.repeat(500)}`,
  ])('%j is dropped', (header) => {
    expect(traceparentOf(header)).toBeUndefined();
  });
});

test('verbs', () => {
  expect(verb('v1/notes', 'batch')).toBe('v1/notes::batch');
  expect(verb('v1/notes/:id', 'cancel')).toBe('v1/notes/:id(.+)::cancel');
});
