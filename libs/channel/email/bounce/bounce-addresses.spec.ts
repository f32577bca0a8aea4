import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deriveId, newId } from '#libs/kernel';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { BounceAddresses, mostLocalPart } from './bounce-addresses.js';

let addresses: BounceAddresses;
beforeEach(() => {
  addresses = new BounceAddresses('bounces@mail.example.com', new Vault(new MemoryKeyStore()));
});

test('the address of an operation leads back to it, whatever the case', async () => {
  for (const operationId of [newId(), deriveId(newId(), 'email', 0)]) {
    const address = await addresses.of(operationId);
    expect(address).toMatch(/^bounces\+[0-9a-v]{40}@mail\.example\.com$/);
    expect(await addresses.of(operationId)).toBe(address);
    expect(await addresses.operationIn(address)).toBe(operationId);
    expect(await addresses.operationIn(address.toUpperCase())).toBe(operationId);
    expect(await addresses.operationIn(`"Bounces" <${address}>, other@example.com`)).toBe(operationId);
  }
});

test('the longest local part makes an address that servers take', async () => {
  const local = 'b'.repeat(mostLocalPart);
  const longest = new BounceAddresses(`${local}@mail.example.com`, new Vault(new MemoryKeyStore()));
  const address = await longest.of(newId());
  expect(address.lastIndexOf('@')).toBe(64);
});

describe('leads nowhere:', () => {
  test.each<[string, (address: string) => string]>([
    ['another domain', (address) => address.replace('mail.', 'evil.')],
    ['a domain that only begins like it', (address) => `${address}.evil.example`],
    ['another local part', (address) => `x${address}`],
    ['the address without a token', () => 'bounces@mail.example.com'],
    ['a token that is too short', (address) => address.replace(/.@/, '@')],
    ['no address', () => ''],
  ])('%s', async (_, change) => {
    expect(await addresses.operationIn(change(await addresses.of(newId())))).toBeUndefined();
  });

  test('a token with any digit changed', async () => {
    const operationId = newId();
    const address = await addresses.of(operationId);
    const start = address.indexOf('+') + 1;
    await fc.assert(
      fc.asyncProperty(fc.nat(39), fc.integer({ min: 1, max: 31 }), async (place, change) => {
        const digit = (parseInt(address[start + place]!, 32) ^ change).toString(32);
        const forged = address.slice(0, start + place) + digit + address.slice(start + place + 1);
        expect(await addresses.operationIn(forged)).toBeUndefined();
      }),
    );
  });

  test('a token that another installation has made', async () => {
    const other = new BounceAddresses('bounces@mail.example.com', new Vault(new MemoryKeyStore()));
    expect(await addresses.operationIn(await other.of(newId()))).toBeUndefined();
  });
});
