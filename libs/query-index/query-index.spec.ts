import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '#libs/kernel';
import { eventually, TemporaryStore, wordTables, wordTablesModule, type Word } from '#libs/testing';
import { QueryIndex } from './query-index.js';

type Words = QueryIndex<Word, 'all' | 'nonsense', readonly Word[]>;

let directory: string;
let temporary: TemporaryStore;
let index: Words;
/** What each record comes to; a rebuild sees what is right by then. */
let spelling: (word: string) => string;
/** Holds up whoever reads the records, while it is there. */
let hold: Promise<void> | undefined;

async function open(): Promise<void> {
  const { store } = temporary;
  index = await QueryIndex.open({
    directory,
    store,
    tables: wordTables,
    module: wordTablesModule,
    source: () =>
      Promise.resolve({
        name: 'words',
        subscribe: (after, signal) => store.subscribeToAll({ after, filter: { categories: ['word'] }, signal }),
      }),
    entriesOf: async (records) => {
      await hold;
      return records.map(({ data, position }) => ({
        word: spelling((data as { word: string }).word),
        position: Number(position),
      }));
    },
    log: { rebuilding: () => undefined, failed: () => undefined },
  });
}

async function say(...words: readonly string[]): Promise<void> {
  const events = words.map((word) => ({ id: newId(), type: 'word.said.v1', data: { word } }));
  await temporary.store.append('word-1', 'any', events);
}

async function words(): Promise<readonly string[]> {
  return (await index.query('all')).map(({ word }) => word);
}

function files(): readonly string[] {
  return readdirSync(join(directory, 'query-index')).filter((name) => name.endsWith('.db'));
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidings-index-'));
  temporary = await TemporaryStore.open();
  spelling = (word) => word;
  hold = undefined;
  await say('one', 'two');
  await open();
  await eventually(async () => (await index.status()).state === 'live');
});

afterEach(async () => {
  await index.close();
  await temporary.remove();
  rmSync(directory, { recursive: true });
});

test('made anew, it answers from the old file until the new one has caught up', async () => {
  spelling = (word) => word.toUpperCase();
  let goOn!: () => void;
  hold = new Promise((resolve) => (goOn = resolve));
  await index.rebuild();
  await index.rebuild();
  expect(index.rebuildStatus()).toMatchObject({ making: 2, position: 0n, records: 0 });
  expect(await words()).toEqual(['one', 'two']);
  goOn();
  await eventually(() => index.rebuildStatus() === undefined);
  expect(await words()).toEqual(['ONE', 'TWO']);
  expect((await index.status()).making).toBe(2);
  await eventually(() => files().join() === '1.2.db');
  await say('three');
  await eventually(async () => (await words()).includes('THREE'));
});

test('whoever asks while it is switched gets an answer', async () => {
  let isEnough = false;
  const asking = (async () => {
    let answers = 0;
    for (; !isEnough; answers += 1) expect((await words()).length).toBe(2);
    return answers;
  })();
  for (let making = 2; making < 5; making += 1) {
    await index.rebuild();
    await eventually(async () => (await index.status()).making === making);
  }
  isEnough = true;
  expect(await asking).toBeGreaterThan(3);
});

test('given up, the new file is gone', async () => {
  hold = new Promise((resolve) => setTimeout(resolve, 50));
  await index.rebuild();
  await index.cancel();
  await index.cancel();
  expect(index.rebuildStatus()).toBeUndefined();
  expect(files()).toEqual(['1.1.db']);
  expect(await words()).toEqual(['one', 'two']);
});

test('ended in between, the old file answers, and the new one is begun again', async () => {
  let goOn!: () => void;
  hold = new Promise((resolve) => (goOn = resolve));
  await index.rebuild();
  const closing = index.close();
  goOn();
  await closing;
  expect(files()).toEqual(['1.1.db', '1.2.db']);
  await open();
  await eventually(async () => (await index.status()).making === 3);
  await eventually(() => files().join() === '1.3.db');
  expect(await words()).toEqual(['one', 'two']);
});
