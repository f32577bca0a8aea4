import { describe, expect, it } from '@jest/globals';
import { Refused, type Decider, type Message, type Saga } from '#libs/kernel';
import { given, givenSaga } from './index.js';

type Opened = Message<'opened', { readonly by: string }>;

const door: Decider<boolean, string, Opened> = {
  initial: () => false,
  evolve: () => true,
  decide(open, by) {
    if (by === 'nobody') throw new Refused('nobody', 'somebody has to open it');
    if (by === 'broken') throw new TypeError('broken');
    return open ? [] : [{ type: 'opened', data: { by } }];
  },
};
const opened: Opened = { type: 'opened', data: { by: 'ada' } };

const pair: Saga<number, Opened, Message<'both', null>> = {
  initial: () => 0,
  evolve: (seen) => seen + 1,
  react: (seen) => (seen === 2 ? [{ type: 'both', data: null }] : []),
};

describe('given … when … then', () => {
  it('holds where the decider answers these events', () => {
    given(door).when('ada').then(opened);
    given(door, opened).when('ada').then();
    given(door).when('nobody').thenRefused('nobody');
  });

  it('fails where it does not', () => {
    expect(() => given(door).when('ada').then()).toThrow();
    expect(() => given(door).when('bob').then(opened)).toThrow();
    expect(() => given(door).when('ada').thenRefused('nobody')).toThrow();
    expect(() => given(door).when('nobody').thenRefused('other')).toThrow();
    expect(() => given(door).when('broken').thenRefused('nobody')).toThrow(TypeError);
  });
});

describe('givenSaga … then', () => {
  it('holds where the saga reacts so, and fails where it does not', () => {
    givenSaga(pair, opened).then();
    givenSaga(pair, opened, opened).then({ type: 'both', data: null });
    expect(() => givenSaga(pair, opened).then({ type: 'both', data: null })).toThrow();
  });
});
