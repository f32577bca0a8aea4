import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deriveId, isUuid, newId, timeOfId } from './ids.js';

const cause = fc.uuid({ version: [7, 8] });
const derivation = fc.record({ cause, target: fc.string(), ordinal: fc.nat() });

describe('newId', () => {
  it('makes UUIDv7 that sort as they were made, within one millisecond and when the clock steps back too', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 200 }), (steps) => {
        let now = timeOfId(newId());
        const ids = steps.map((step) => newId((now += step)));
        expect(ids.every((id) => isUuid(id) && id[14] === '7')).toBe(true);
        expect([...ids].sort()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it('goes on into the next millisecond when the counter of one is used up', () => {
    const now = timeOfId(newId()) + 10;
    const ids = Array.from({ length: 10_000 }, () => newId(now));
    expect([...ids].sort()).toEqual(ids);
    expect(timeOfId(ids[0]!)).toBe(now);
    expect(timeOfId(ids.at(-1)!)).toBe(now + 2);
  });
});

describe('deriveId', () => {
  it('makes the same valid UUIDv8 for the same cause, target and ordinal, with the time of the cause', () => {
    fc.assert(
      fc.property(derivation, ({ cause, target, ordinal }) => {
        const id = deriveId(cause, target, ordinal);
        expect(deriveId(cause, target, BigInt(ordinal))).toBe(id);
        expect(isUuid(id)).toBe(true);
        expect(id[14]).toBe('8');
        expect(id.slice(0, 13)).toBe(cause.slice(0, 13));
        expect(timeOfId(id)).toBe(timeOfId(cause));
      }),
    );
  });

  it('makes different ids where cause, target or ordinal differ', () => {
    const same = (one: object, other: object) => JSON.stringify(one) === JSON.stringify(other);
    fc.assert(
      fc.property(derivation, derivation, (one, other) => {
        fc.pre(!same(one, other));
        const [first, second] = [one, other].map(({ cause, target, ordinal }) => deriveId(cause, target, ordinal));
        expect(first).not.toBe(second);
      }),
    );
    const ids = Array.from({ length: 10_000 }, (_, ordinal) => deriveId(newId(), 'a.event-1', ordinal));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('isUuid', () => {
  it.each(['', 'not-a-uuid', '00000000-0000-0000-0000-000000000000', '018F0000-0000-7000-8000-000000000000'])(
    'refuses %p',
    (text) => expect(isUuid(text)).toBe(false),
  );
});
