import { beforeAll, describe, expect, it } from '@jest/globals';
import { validateSync } from 'class-validator';
import { IsSealed, MemoryKeyStore, type Sealed, Vault } from './index.js';

class Mailbox {
  @IsSealed()
  address: unknown;
}

function reasons(address: unknown): unknown {
  return validateSync(Object.assign(new Mailbox(), { address })).map(({ property, constraints }) => [
    property,
    constraints,
  ]);
}

describe('IsSealed', () => {
  let sealed: Sealed;
  beforeAll(async () => {
    sealed = await new Vault(new MemoryKeyStore()).sealFor('recipient/alice', 'address', 'alice@example.org');
  });

  it('takes a sealed text', () => {
    expect(reasons(sealed)).toEqual([]);
  });

  it.each([
    ['a text in clear', () => 'alice@example.org'],
    ['a text around a sealed one', () => `to ${sealed}`],
    ['a sealed text cut short', () => sealed.slice(0, 50)],
    ['a list', () => [sealed]],
    ['nothing', () => undefined],
  ])('refuses %s', (_, address) => {
    expect(reasons(address())).toEqual([['address', { isSealed: 'must be a sealed text' }]]);
  });
});
