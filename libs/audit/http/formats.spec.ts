import { describe, expect, test } from '@jest/globals';
import type { RecordView } from '#libs/http';
import type { LiveBatch } from '../audit.js';
import { eventsOf, linesOf } from './formats.js';

const long = 60_000;

function item(position: number): RecordView {
  return { id: `id-${position}`, position: String(position) } as RecordView;
}

function batch(position: number, live: boolean, ...positions: readonly number[]): LiveBatch {
  return { items: positions.map(item), position: BigInt(position), live };
}

async function* given(...batches: readonly LiveBatch[]): AsyncGenerator<LiveBatch> {
  yield* batches;
}

/** The ids in order, with a star where there is a record. */
async function idsOf(events: AsyncIterable<string>): Promise<string[]> {
  let text = '';
  for await (const chunk of events) text += chunk;
  const blocks = text.split('\n\n').filter((block) => block.startsWith('id: '));
  return blocks.map((block) => /^id: (\d+)/.exec(block)![1]! + (block.includes('\ndata: ') ? '*' : ''));
}

describe('server-sent events', () => {
  test('begin at once, and have one record each', async () => {
    const events = eventsOf(given(batch(3, true, 1, 3)), 0n, long);
    expect((await events.next()).value).toBe('retry: 1000\n\n');
    expect((await events.next()).value).toBe(
      'id: 1\ndata: {"id":"id-1","position":"1"}\n\nid: 3\ndata: {"id":"id-3","position":"3"}\n\n',
    );
  });

  test('a client for which the history has nothing moves on with every batch, and once at its end', async () => {
    const events = eventsOf(given(batch(10, false), batch(20, false), batch(25, true)), 5n, long);
    expect(await idsOf(events)).toEqual(['10', '20', '25']);
  });

  test('once it has caught up, it is not told of every record that is not for it', async () => {
    const events = eventsOf(given(batch(10, true), batch(11, true), batch(12, true, 12), batch(13, true)), 5n, long);
    expect(await idsOf(events)).toEqual(['10', '12*']);
  });

  test('but as often as it would get a heartbeat', async () => {
    const events = eventsOf(given(batch(10, true), batch(11, true), batch(12, true)), 5n, 0);
    expect(await idsOf(events)).toEqual(['10', '11', '12']);
  });

  test('nothing is told twice', async () => {
    const events = eventsOf(given(batch(5, false), batch(5, true), batch(6, true, 6), batch(6, true)), 5n, long);
    expect(await idsOf(events)).toEqual(['6*']);
  });

  test('where nothing happens at all, a comment shows that the connection stands', async () => {
    let end!: () => void;
    async function* quiet() {
      yield batch(5, true);
      await new Promise<void>((resolve) => (end = resolve));
    }
    const events = eventsOf(quiet(), 5n, 1);
    await events.next();
    expect((await events.next()).value).toMatch(/^: .*\n\n$/);
    expect((await events.next()).value).toMatch(/^: .*\n\n$/);
    end();
    expect((await events.next()).done).toBe(true);
  });
});

test('lines have one record each, and none where there is none', async () => {
  const chunks: string[] = [];
  for await (const chunk of linesOf(given(batch(2, false, 1, 2), batch(9, false), batch(10, true, 10)))) {
    chunks.push(chunk);
  }
  expect(chunks.join('').split('\n')).toEqual([
    '{"id":"id-1","position":"1"}',
    '{"id":"id-2","position":"2"}',
    '{"id":"id-10","position":"10"}',
    '',
  ]);
  expect(chunks).toHaveLength(2);
});
