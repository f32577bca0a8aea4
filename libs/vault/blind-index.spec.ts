import { expect, test } from '@jest/globals';
import { MemoryKeyStore } from './memory-key-store.js';
import { Vault } from './vault.js';

test('the same text has the same hash, and another one has another', async () => {
  const vault = new Vault(new MemoryKeyStore());
  const index = await vault.blindIndex('addresses');
  const again = await vault.blindIndex('addresses');
  expect(again.id).toBe(index.id);
  expect(again.hash('ada@example.com')).toEqual(index.hash('ada@example.com'));
  expect(index.hash('bob@example.com')).not.toEqual(index.hash('ada@example.com'));
  expect(index.hash('ada@example.com')).toHaveLength(16);
});

test('another index, or another installation, has other hashes', async () => {
  const vault = new Vault(new MemoryKeyStore());
  const hashes = await Promise.all(
    [
      vault.blindIndex('addresses'),
      vault.blindIndex('names'),
      new Vault(new MemoryKeyStore()).blindIndex('addresses'),
    ].map(async (index) => (await index).hash('ada@example.com').toString('hex')),
  );
  expect(new Set(hashes).size).toBe(3);
});
