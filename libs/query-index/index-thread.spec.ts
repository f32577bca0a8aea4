import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { wordTablesModule, type Word } from '#libs/testing';
import { IndexFailure, IndexThread } from './index-thread.js';
import type { Reached } from './protocol.js';

type Thread = IndexThread<Word, 'all' | 'nonsense', readonly Word[]>;

let folder: string;
let path: string;
let thread: Thread | undefined;
let reached: Reached | undefined;

async function open({ anew = false } = {}): Promise<Thread> {
  await thread?.end();
  thread = undefined;
  const workerData = { path, tables: wordTablesModule, anew };
  ({ thread, reached } = await IndexThread.open<Word, 'all' | 'nonsense', readonly Word[]>(workerData));
  return thread;
}

/** One that holds a word, and has ended. */
async function filled(words = 1): Promise<void> {
  const entries = Array.from({ length: words }, (_, index) => ({ word: `word ${index}`, position: 1 }));
  await (await open()).apply(entries, { source: 'words', position: 7, id: 'seven' });
  await thread!.close();
  thread = undefined;
}

async function errorOf(work: Promise<unknown>): Promise<IndexFailure> {
  return work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: IndexFailure) => error,
  );
}

function overwrite(from: number, length: number): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.alloc(length, 'x'), 0, length, from);
  closeSync(descriptor);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidings-index-'));
  path = join(folder, 'query-index', '1.db');
});

afterEach(async () => {
  await thread?.end();
  thread = undefined;
  rmSync(folder, { recursive: true });
});

test('a new file is empty', async () => {
  const opened = await open();
  expect(reached).toBeUndefined();
  expect(await opened.query('all')).toEqual([]);
});

test('entries of which one cannot be put are not in, nor does the file reach them', async () => {
  await filled();
  const opened = await open();
  const entries = ['two', 'bad'].map((word) => ({ word, position: 2 }));
  expect(await errorOf(opened.apply(entries, { source: 'words', position: 8, id: 'eight' }))).toMatchObject({
    damaged: false,
  });
  expect(await opened.query('all')).toEqual([{ word: 'word 0', position: 1 }]);
  await open();
  expect(reached).toEqual({ source: 'words', position: 7, id: 'seven' });
});

test('property: ended at any time, it holds all that was put, and reaches the last of it', async () => {
  const words = fc.array(fc.constantFrom('a', 'b', 'c', 'bad'), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(fc.constant('end' as const), words), { maxLength: 8 }), async (steps) => {
      let opened = await open({ anew: true });
      const model = new Map<string, number>();
      let last: number | undefined;
      for (const [position, step] of steps.entries()) {
        if (step === 'end') {
          opened = await open();
          continue;
        }
        const put = opened.apply(
          step.map((word) => ({ word, position })),
          { source: 'words', position, id: `id ${position}` },
        );
        if (step.includes('bad')) {
          await errorOf(put);
          continue;
        }
        await put;
        last = position;
        for (const word of step) model.set(word, position);
      }
      opened = await open();
      expect(await opened.query('all')).toEqual([...model].sort().map(([word, position]) => ({ word, position })));
      expect(reached?.position).toBe(last);
    }),
    { numRuns: 10 },
  );
});

describe('a file that cannot be used is damaged', () => {
  test.each([
    ['of another version', () => overwrite(60, 4)],
    ['not a database', () => writeFileSync(path, 'nonsense')],
    ['empty', () => writeFileSync(path, '')],
    ['without a header', () => overwrite(0, 100)],
  ])('%s', async (_, damage) => {
    await filled();
    damage();
    expect(await errorOf(open())).toMatchObject({ damaged: true });
    await open({ anew: true });
    expect(reached).toBeUndefined();
    await filled();
    expect(await (await open()).query('all')).toHaveLength(1);
  });

  test('only at a place that is looked at later', async () => {
    await filled(5_000);
    const { size } = statSync(path);
    overwrite(size / 2, size / 2);
    const opened = await open();
    expect(await errorOf(opened.query('all'))).toMatchObject({ damaged: true });
  });
});

test('a question that is wrong is no damage', async () => {
  expect(await errorOf((await open()).query('nonsense'))).toMatchObject({ damaged: false });
});

test('ended, it answers nothing more', async () => {
  const opened = await open();
  await opened.end();
  expect(await errorOf(opened.query('all'))).toBeInstanceOf(IndexFailure);
  await opened.close();
});
