import { describe, expect, it } from '@jest/globals';
import { InvalidRecord } from '#libs/kernel';
import { StoreUnavailable, WrongExpectedRevision } from '#libs/store/port';
import { RetryLater, verdictOn } from './retry-later.js';

const policy = { immediate: [20, 200], later: [5_000, 30_000] };
const now = 1_000_000;
const failure = new Error('broken');
const conflict = new WrongExpectedRevision('a.event-1', 0n, 1n);
const later = (dueAt: number, counts = true) => ({ action: 'later', dueAt, counts });

describe('verdictOn', () => {
  it.each([
    ['a failure, first try', failure, 1, 0, { action: 'again', after: 20 }],
    ['a failure, second try', failure, 2, 0, { action: 'again', after: 200 }],
    ['a failure, third try', failure, 3, 0, later(now + 5_000)],
    ['a failure of a record that failed once before', failure, 3, 1, later(now + 30_000)],
    ['a failure of a record that was tried often enough', failure, 3, 2, { action: 'park' }],
    ['a failure of what was deferred', failure, Infinity, 0, later(now + 5_000)],
    ['a conflict, first try', conflict, 1, 0, { action: 'again', after: 0 }],
    ['a conflict, fourth try', conflict, 4, 0, later(now + 5_000)],
    ['an invalid record', new InvalidRecord({ stream: 'a', revision: 0n, type: 'b' }, []), 1, 0, { action: 'park' }],
    ['a store that is away', new StoreUnavailable('gone'), 9, 9, { action: 'hold' }],
    ['a record that is not done yet', new RetryLater(7, 'wait'), 9, 9, later(7, false)],
    ['what is no error', 'thrown', 1, 0, { action: 'again', after: 20 }],
  ])('%s', (_, error, tries, failed, verdict) => {
    expect(verdictOn(error, tries, failed, policy, now)).toEqual(verdict);
  });
});
