import { describe, expect, test } from '@jest/globals';
import { chooseChannels, type Choice, type Preferences } from './preferences.js';

const both = ['email', 'slack'] as const;
const use = (channel: 'email' | 'slack') => ({ channel, use: true }) as const;
const not = (channel: 'email' | 'slack', reason: 'notChosen' | 'belowMinSeverity') =>
  ({ channel, use: false, reason }) as const;

function choose(preferences: Preferences | null, severity: Parameters<typeof chooseChannels>[3] = 'info'): Choice {
  return chooseChannels(both, preferences, 'billing', severity);
}

describe('which preference decides', () => {
  test.each<[string, Preferences | null]>([
    ['none at all', null],
    ['an empty one', {}],
    ['one of nulls', { default: null, categories: null }],
    ['one for another category', { categories: { other: { channels: [] } } }],
  ])('%s: every channel is used', (_, preferences) => {
    expect(choose(preferences)).toEqual({
      source: 'none',
      optedOutOfAll: false,
      channels: [use('email'), use('slack')],
    });
  });
  test('the default', () => {
    expect(choose({ default: { channels: ['slack'] }, categories: {} })).toEqual({
      source: 'default',
      optedOutOfAll: false,
      channels: [use('slack'), not('email', 'notChosen')],
    });
  });
  test('the category in place of the default', () => {
    const preferences: Preferences = {
      default: { channels: [] },
      categories: { billing: { channels: ['email'] } },
    };
    expect(choose(preferences)).toEqual({
      source: 'category',
      optedOutOfAll: false,
      channels: [use('email'), not('slack', 'notChosen')],
    });
  });
  test.each(['constructor', 'toString', '__proto__'])('%s is a category like any other', (category) => {
    expect(chooseChannels(both, { categories: {} }, category, 'info').source).toBe('none');
  });
  test('an empty list opts out of all, also where there is no channel to opt out of', () => {
    expect(choose({ default: { channels: [] } }).optedOutOfAll).toBe(true);
    expect(chooseChannels([], { default: { channels: [] } }, 'billing', 'info')).toEqual({
      source: 'default',
      optedOutOfAll: true,
      channels: [],
    });
  });
});

test("the order is the recipient's", () => {
  expect(choose({ default: { channels: ['slack', 'email'] } }).channels).toEqual([use('slack'), use('email')]);
});

describe('the least severity', () => {
  const preferences: Preferences = { default: { channels: [...both], minSeverity: { email: 'warning', slack: null } } };
  test.each(['debug', 'info', 'success'] as const)('%s is below warning', (severity) => {
    expect(choose(preferences, severity).channels).toEqual([not('email', 'belowMinSeverity'), use('slack')]);
  });
  test.each(['warning', 'error', 'critical'] as const)('%s is not', (severity) => {
    expect(choose(preferences, severity).channels).toEqual([use('email'), use('slack')]);
  });
});

test('a channel without an address is not spoken of', () => {
  expect(chooseChannels(['email'], { default: { channels: ['slack'] } }, 'billing', 'info').channels).toEqual([
    not('email', 'notChosen'),
  ]);
});
