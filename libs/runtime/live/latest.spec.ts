import { describe, expect, test } from '@jest/globals';
import { concat, from, of, Subject, throwError } from 'rxjs';
import { latest } from './latest.js';

const open = new AbortController().signal;

async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const found: Value[] = [];
  for await (const value of values) found.push(value);
  return found;
}

describe('latest', () => {
  test('whoever is slow gets the newest and nothing before it', async () => {
    const source = new Subject<number>();
    const values = latest(source, open);
    const first = values.next();
    source.next(1);
    expect((await first).value).toBe(1);
    for (let n = 2; n <= 100_000; n += 1) source.next(n);
    expect((await values.next()).value).toBe(100_000);
    const next = values.next();
    source.next(100_001);
    expect((await next).value).toBe(100_001);
    await values.return(undefined);
    expect(source.observed).toBe(false);
  });

  test('it ends with its source, with what came last', async () => {
    expect(await all(latest(from([1, 2, 3]), open))).toEqual([3]);
    expect(await all(latest(from([]), open))).toEqual([]);
  });

  test('it fails with its source', async () => {
    const source = concat(
      of(1),
      throwError(() => new Error('broken')),
    );
    const values = latest(source, open);
    expect((await values.next()).value).toBe(1);
    await expect(values.next()).rejects.toThrow('broken');
  });

  test('it ends when the signal is aborted, waiting or not', async () => {
    const [source, stopping] = [new Subject<number>(), new AbortController()];
    const values = latest(source, stopping.signal);
    const waiting = values.next();
    stopping.abort();
    expect((await waiting).done).toBe(true);
    expect(source.observed).toBe(false);
    expect(await all(latest(from([1]), stopping.signal))).toEqual([]);
  });
});
