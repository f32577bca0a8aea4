import { expect, test } from '@jest/globals';
import { count, type DailyCounts, type Requested } from './view/daily-counts.js';

function requested(position: bigint, category: string): Requested {
  return { position, data: { category } } as Requested;
}

test('what is asked for is counted by category, and what is handed out again only once', () => {
  let view: DailyCounts | undefined;
  for (const record of [requested(7n, 'billing'), requested(9n, 'news'), requested(12n, 'billing')]) {
    view = count(view, record);
  }
  expect(view).toEqual({ counts: { billing: 2, news: 1 }, position: '12' });
  expect(count(view, requested(12n, 'billing'))).toBeUndefined();
  expect(count(view, requested(9n, 'news'))).toBeUndefined();
});
