import { describe, expect, test } from '@jest/globals';
import { sealedSample } from '#libs/testing/samples';
import { answer, judge, type StepAnswer } from './step.js';

const failures = [sealedSample('error')];
const none = { payload: null, failures: [] };

describe('the table, row by row', () => {
  test.each<[string, Omit<StepAnswer<string[]>, 'ifFailed'>, 'proceed' | 'stop' | 'either', object]>([
    ['none, none', none, 'either', { use: false, why: 'couldNotGet', failures: [] }],
    ['none, some', { ...none, failures }, 'either', { use: false, why: 'couldNotGet', failures }],
    ['present, none', { payload: ['a'], failures: [] }, 'either', { use: true, payload: ['a'], failures: [] }],
    ['present, some, proceed', { payload: ['a'], failures }, 'proceed', { use: true, payload: ['a'], failures }],
    ['present, some, stop', { payload: ['a'], failures }, 'stop', { use: false, why: 'couldNotUse', failures }],
    [
      'an empty list is none',
      { payload: [], failures: [] },
      'either',
      { use: false, why: 'couldNotGet', failures: [] },
    ],
    ['an empty list with failures', { payload: [], failures }, 'either', { use: false, why: 'couldNotGet', failures }],
  ])('%s', (_, given, ifFailed, verdict) => {
    const actions = ifFailed === 'either' ? (['proceed', 'stop'] as const) : [ifFailed];
    for (const action of actions) expect(judge({ ...given, ifFailed: action })).toEqual(verdict);
  });
  test('what is no list is a payload, also when it has nothing in it', () => {
    expect(judge(answer({}))).toEqual({ use: true, payload: {}, failures: [] });
  });
});
