import { describe, expect, it } from '@jest/globals';
import { foldHandling, type Bookkeeping } from './handling.js';

const record = { id: 'r', type: 't.v1', stream: 'toy.operation-a', revision: '0', position: '1' };
const correlationId = 'a';
const [first, second] = [
  { at: 1_000, error: 'broken' },
  { at: 2_000, error: 'broken again' },
];
const time = (milliseconds: number): string => new Date(milliseconds).toISOString();

function entry(created: number, type: Bookkeeping['type'], data: unknown): Bookkeeping {
  const rest = { id: 'b', stream: 'runtime.retry-toy', revision: 0n, position: 2n, metadata: {}, checked: true };
  return { ...rest, created, type, data } as Bookkeeping;
}

const scheduled = (created: number, dueAt: number | null, tries: readonly object[]) =>
  entry(created, 'runtime.retry-scheduled.v1', { record, correlationId, dueAt, tries });
const parked = (created: number, tries: readonly object[]) =>
  entry(created, 'runtime.record-parked.v1', { record, correlationId, tries });
const ended = (created: number, outcome: 'handled' | 'parked') =>
  entry(created, 'runtime.retry-ended.v1', { recordId: 'r', stream: record.stream, outcome });
const redriven = (created: number) =>
  entry(created, 'runtime.record-redriven.v1', { recordId: 'r', stream: record.stream });
const archived = (created: number) =>
  entry(created, 'runtime.record-archived.v1', { recordId: 'r', stream: record.stream });

/** `type@time` of each transition. */
function told(bookkeeping: readonly Bookkeeping[], isPassed = true): string {
  const { state, transitions } = foldHandling(0, bookkeeping, isPassed);
  return [...transitions.map(({ type, at }) => `${type}@${at === null ? '?' : Date.parse(at)}`), `= ${state}`].join(
    ' ',
  );
}

describe('foldHandling', () => {
  it.each<[string, readonly Bookkeeping[], string]>([
    ['handled at the first try', [], 'pending@0 handled@? = handled'],
    [
      'handled at the second try',
      [scheduled(1_001, 6_000, [first]), ended(6_010, 'handled')],
      'pending@0 failed@1000 retryScheduled@1001 handled@6010 = handled',
    ],
    ['put off without a failure', [scheduled(5, 6_000, [])], 'pending@0 retryScheduled@5 = retrying'],
    ['waits behind another one', [scheduled(5, null, [])], 'pending@0 waiting@5 = waiting'],
    [
      'parked after two tries',
      [scheduled(1_001, 6_000, [first]), parked(2_001, [first, second]), ended(2_002, 'parked')],
      'pending@0 failed@1000 retryScheduled@1001 failed@2000 parked@2001 = parked',
    ],
    [
      'redriven and handled',
      [parked(1_001, [first]), scheduled(1_500, 1_500, []), redriven(1_501), ended(1_600, 'handled')],
      'pending@0 failed@1000 parked@1001 redriven@1500 handled@1600 = handled',
    ],
    [
      'handled before the redrive was noted down',
      [parked(1_001, [first]), scheduled(1_500, 1_500, []), ended(1_501, 'handled'), redriven(1_502)],
      'pending@0 failed@1000 parked@1001 redriven@1500 handled@1501 = handled',
    ],
    [
      'redriven and parked again',
      [parked(1_001, [first]), scheduled(1_500, 1_500, []), redriven(1_501), parked(2_001, [second])],
      'pending@0 failed@1000 parked@1001 redriven@1500 failed@2000 parked@2001 = parked',
    ],
    [
      'archived',
      [parked(1_001, [first]), archived(1_500)],
      'pending@0 failed@1000 parked@1001 archived@1500 = archived',
    ],
    [
      'its retries forgotten since',
      [parked(1_001, [first]), redriven(1_500)],
      'pending@0 failed@1000 parked@1001 redriven@1500 handled@? = handled',
    ],
  ])('%s', (_, bookkeeping, expected) => {
    expect(told(bookkeeping)).toBe(expected);
  });

  it('is pending while the consumer has not passed it', () => {
    expect(told([], false)).toBe('pending@0 = pending');
  });

  it('tells the error of a failed try and when the next one is due', () => {
    expect(foldHandling(0, [scheduled(1_001, 6_000, [first])], true).transitions).toEqual([
      { type: 'pending', at: time(0) },
      { type: 'failed', at: time(1_000), error: 'broken' },
      { type: 'retryScheduled', at: time(1_001), dueAt: time(6_000) },
    ]);
  });
});
