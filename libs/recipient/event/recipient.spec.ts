import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fold, InvalidRecord } from '#libs/kernel';
import { given } from '#libs/testing';
import type { Sealed } from '#libs/vault';
import { recipient, type RecipientCommand, type RecipientEvent, type RecipientProfile } from './recipient.js';

const sealed = (text: string) => `sealed.v1.key.address.${text}` as Sealed;

function profile(email?: string): RecipientProfile {
  const channels = email === undefined ? {} : { email: sealed(email) };
  return { displayName: null, locale: null, timeZone: null, channels, preferences: null };
}

const put = (email: string): RecipientEvent => ({ type: 'recipient.put.v1', data: profile(email) });
const erased = (...keyIds: string[]): RecipientEvent => ({ type: 'recipient.erased.v1', data: { keyIds } });

describe('put', () => {
  test('makes a recipient', () => {
    given(recipient)
      .when({ type: 'put', profile: profile('ada') })
      .then(put('ada'));
  });
  test('replaces all of it', () => {
    given(recipient, put('ada'))
      .when({ type: 'put', profile: profile('bob') })
      .then(put('bob'));
    expect(fold(recipient, [put('ada'), put('bob')])).toEqual({ status: 'known', profile: profile('bob') });
  });
  test('again, the same command changes nothing', () => {
    given(recipient, put('ada'))
      .when({ type: 'put', profile: profile('ada') })
      .then();
  });
  test('after an erasure makes it anew', () => {
    given(recipient, put('ada'), erased('k1'))
      .when({ type: 'put', profile: profile('ada') })
      .then(put('ada'));
  });
});

describe('an address that no mail gets to', () => {
  const undeliverable = (email: string, status = '5.1.1') => ({
    channel: 'email' as const,
    address: sealed(email),
    status,
    at: '2026-01-01T00:00:00.000Z',
  });
  const marked = (email: string): RecipientEvent => ({
    type: 'recipient.address-undeliverable.v1',
    data: undeliverable(email),
  });
  const mark = (email: string): RecipientCommand => ({
    type: 'markUndeliverable',
    undeliverable: undeliverable(email),
  });

  test('is marked, and the profile stays', () => {
    given(recipient, put('ada')).when(mark('ada')).then(marked('ada'));
    expect(fold(recipient, [put('ada'), marked('ada')])).toEqual({
      status: 'known',
      profile: profile('ada'),
      undeliverable: { status: '5.1.1', at: '2026-01-01T00:00:00.000Z' },
    });
  });
  test('is marked once', () => {
    given(recipient, put('ada'), marked('ada'))
      .when({ type: 'markUndeliverable', undeliverable: undeliverable('ada', '5.1.2') })
      .then();
  });
  test('is not marked where another one was put since, or nobody is known', () => {
    given(recipient, put('ada'), put('bob')).when(mark('ada')).then();
    given(recipient, { type: 'recipient.put.v1', data: profile() }).when(mark('ada')).then();
    given(recipient).when(mark('ada')).then();
    given(recipient, put('ada'), erased('k1')).when(mark('ada')).then();
  });
  test('is good again when the recipient is put, with the same address too', () => {
    given(recipient, put('ada'), marked('ada'))
      .when({ type: 'put', profile: profile('ada') })
      .then(put('ada'));
    expect(fold(recipient, [put('ada'), marked('ada'), put('ada')])).toEqual({
      status: 'known',
      profile: profile('ada'),
    });
  });
});

describe('erase', () => {
  test('names the keys to destroy', () => {
    given(recipient, put('ada'))
      .when({ type: 'erase', keyIds: ['k1'] })
      .then(erased('k1'));
  });
  test('a recipient that was put without anything to seal has no key', () => {
    given(recipient, { type: 'recipient.put.v1', data: profile() }).when({ type: 'erase', keyIds: [] }).then(erased());
  });
  test('unknown, without keys: there is nothing to erase', () => {
    given(recipient).when({ type: 'erase', keyIds: [] }).then();
  });
  test('unknown, with keys: the notifications to that id go', () => {
    given(recipient)
      .when({ type: 'erase', keyIds: ['k1'] })
      .then(erased('k1'));
  });
  test.each([[['k1']], [[]]])('twice, with the keys %p left, changes nothing', (keyIds) => {
    given(recipient, put('ada'), erased('k1')).when({ type: 'erase', keyIds }).then();
  });
  test('again, with a key made since then, erases that one too', () => {
    given(recipient, put('ada'), erased('k1'))
      .when({ type: 'erase', keyIds: ['k2'] })
      .then(erased('k2'));
  });
});

describe('a record that cannot be read', () => {
  const unreadable = (type: string) =>
    new InvalidRecord({ stream: 'recipient.event-1', revision: 1n, type }, ['reason']);
  const after = (type: string, ...events: RecipientEvent[]) =>
    recipient.evolveUnreadable!(fold(recipient, events), unreadable(type));

  test('leaves open what the recipient is', () => {
    expect(after('recipient.put.v1', put('ada'))).toMatchObject({ status: 'unreadable', keyIds: [] });
    expect(after('recipient.merged.v1')).toMatchObject({ status: 'unreadable', keyIds: [] });
  });
  test('does not make an erasure before it forgotten', () => {
    const once = after('recipient.put.v1', put('ada'), erased('k1'));
    expect(once).toMatchObject({ status: 'unreadable', keyIds: ['k1'] });
    expect(recipient.evolveUnreadable!(once, unreadable('recipient.put.v9'))).toMatchObject({ keyIds: ['k1'] });
  });
  test.each(['recipient.erased.v1', 'recipient.erased.v9'])('is an erasure by its type: %s', (type) => {
    expect(after(type, put('ada'))).toEqual({ status: 'erased', keyIds: null });
  });
  test('is replaced by what is put next', () => {
    const state = after('recipient.put.v1', put('ada'));
    expect(recipient.decide(state, { type: 'put', profile: profile('ada') })).toEqual([put('ada')]);
    expect(recipient.evolve(state, put('bob'))).toEqual({ status: 'known', profile: profile('bob') });
  });
  test.each([['recipient.put.v1'], ['recipient.erased.v1']])('does not keep anybody from being erased: %s', (type) => {
    const state = after(type, put('ada'));
    for (const keyIds of [[], ['k1']]) {
      expect(recipient.decide(state, { type: 'erase', keyIds })).toEqual([erased(...keyIds)]);
    }
  });
});

test('every command is idempotent', () => {
  const commands: fc.Arbitrary<RecipientCommand> = fc.oneof(
    fc.constantFrom('ada', 'bob').map((email) => ({ type: 'put' as const, profile: profile(email) })),
    fc.subarray(['k1', 'k2']).map((keyIds) => ({ type: 'erase' as const, keyIds })),
    fc.constantFrom('ada', 'bob').map((email) => ({
      type: 'markUndeliverable' as const,
      undeliverable: { channel: 'email' as const, address: sealed(email), status: '5.1.1', at: '2026-01-01T00:00:00Z' },
    })),
  );
  fc.assert(
    fc.property(fc.array(commands), commands, (before, command) => {
      const run = (state: ReturnType<typeof recipient.initial>, one: RecipientCommand) =>
        recipient.decide(state, one).reduce((next, event) => recipient.evolve(next, event), state);
      const state = run(before.reduce(run, recipient.initial()), command);
      expect(recipient.decide(state, command)).toEqual([]);
    }),
  );
});
