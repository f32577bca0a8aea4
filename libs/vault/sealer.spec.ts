import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SealBroken } from './errors.js';
import { newKeyId } from './key-material.js';
import type { DataKey } from './key-store.js';
import { isSealed, keyIdOf, open, seal, type Sealed } from './sealer.js';

function newKey(): DataKey {
  return { id: newKeyId(), owner: 'recipient/alice', key: createSecretKey(randomBytes(32)) };
}
const key = newKey();
const anyText = fc.string({ unit: 'binary', maxLength: 300 });

describe('a sealed text', () => {
  it('opens as what it was', () => {
    fc.assert(fc.property(anyText, (text) => open(key, seal(key, 'content', text)) === text));
  });

  it('shows its key and label, not its content', () => {
    const sealed = seal(key, 'address', 'alice@example.org');
    expect(sealed.startsWith(`sealed.v1.${key.id}.address.`)).toBe(true);
    expect(isSealed(sealed)).toBe(true);
    expect(keyIdOf(sealed)).toBe(key.id);
    expect(Buffer.from(sealed.split('.')[4]!, 'base64url').toString('latin1')).not.toContain('alice');
  });

  it('is another one each time', () => {
    const sealed = Array.from({ length: 2000 }, () => seal(key, 'content', 'same'));
    expect(new Set(sealed).size).toBe(2000);
  });

  it('does not open when any character is changed', () => {
    const sealed = seal(key, 'content', 'hello');
    fc.assert(
      fc.property(
        fc.nat(sealed.length - 1),
        fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 }),
        (at, other) => {
          fc.pre(sealed[at] !== other);
          expect(() => open(key, (sealed.slice(0, at) + other + sealed.slice(at + 1)) as Sealed)).toThrow(SealBroken);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('does not open when cut, made longer, under another label or another key', () => {
    const sealed = seal(key, 'content', 'hello');
    for (let length = 0; length < sealed.length; length++) {
      expect(() => open(key, sealed.slice(0, length) as Sealed)).toThrow(SealBroken);
    }
    expect(() => open(key, `${sealed}A` as Sealed)).toThrow(SealBroken);
    expect(() => open(key, `${sealed}\n` as Sealed)).toThrow(SealBroken);
    expect(() => open(key, sealed.replace('.content.', '.subject.') as Sealed)).toThrow(SealBroken);
    expect(() => open({ ...newKey(), id: key.id }, sealed)).toThrow(SealBroken);
  });

  it.each(['', 'Content', 'a.b', 'ü', 'x'.repeat(129)])('takes no label %j', (label) => {
    expect(() => seal(key, label, 'text')).toThrow(TypeError);
  });

  it.each([undefined, 7, '', 'sealed', 'sealed.v1.a.b.c', 'sealed.v2.abc.content.' + 'A'.repeat(40)])(
    'is not %j',
    (value) => {
      expect(isSealed(value)).toBe(false);
    },
  );
});
