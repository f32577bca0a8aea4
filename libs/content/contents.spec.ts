import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FolderBlobStore, SealedBlobs } from '#libs/blob';
import { problemsOf } from '#libs/validation';
import { KeyDestroyed, MemoryKeyStore, Vault } from '#libs/vault';
import { Contents, SealedContent, type Content } from './index.js';

const owner = 'recipient/user-42';
const small: Content = { subject: 'Hello', text: 'How are you?', html: '<p>ä€😀</p>' };
const large: Content = { subject: 'Report', text: '€'.repeat(20_000) };

let directory: string;
let vault: Vault;
let blobs: SealedBlobs;
let contents: Contents;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidings-content-'));
  vault = new Vault(new MemoryKeyStore());
  blobs = new SealedBlobs(vault, await FolderBlobStore.open(directory));
  contents = new Contents(vault, blobs);
});
afterEach(() => rm(directory, { recursive: true }));

test.each<[string, Content, 'inline' | 'blob']>([
  ['small', small, 'inline'],
  ['large', large, 'blob'],
])('%s content comes back as it was, and stands in a valid record', async (_, content, where) => {
  const sealed = await contents.seal(owner, 'some-id', content);
  expect(Object.keys(sealed)).toEqual([where]);
  expect(problemsOf(SealedContent, JSON.parse(JSON.stringify(sealed)))).toEqual([]);
  expect(await contents.open(sealed)).toEqual(content);
});

test.each([
  ['small', small],
  ['large', large],
])('%s content of somebody erased cannot be read', async (_, content) => {
  const sealed = await contents.seal(owner, 'some-id', content);
  const keyIds = await vault.keyIdsOf(owner);
  await vault.destroy(keyIds);
  await expect(contents.open(sealed)).rejects.toThrow(KeyDestroyed);
  for (const keyId of keyIds) await blobs.deleteAll(keyId);
  await expect(contents.open(sealed)).rejects.toThrow(KeyDestroyed);
});

test('a text counts by its bytes: what is stored inline stays small', async () => {
  const sealed = await contents.seal(owner, 'some-id', { subject: 'x', text: '€'.repeat(10_000) });
  expect(Object.keys(sealed)).toEqual(['blob']);
});

test('work on attachments waits while others hold too much of them in memory', async () => {
  const { signal } = new AbortController();
  const attached = (size: number): Content => ({
    ...small,
    attachments: [
      { fileName: 'a', mediaType: 'text/plain', blob: { keyId: 'k', id: 'a', size }, sha256: '' },
      { fileName: 'b', mediaType: 'text/plain', blob: { keyId: 'k', id: 'b', size: 1 }, sha256: '' },
    ],
  });
  const [huge, some] = await Promise.all(
    [attached(100_000_000), attached(1_000)].map((content) => contents.seal(owner, 'some-id', content)),
  );
  let end!: () => void;
  const held = new Promise<void>((resolve) => (end = resolve));
  const begun: string[] = [];
  const begin = (name: string) => async () => {
    begun.push(name);
    if (name === 'huge') await held;
  };
  const first = contents.holding(huge!, signal, begin('huge'));
  const second = contents.holding(some!, signal, begin('some'));
  await contents.holding(await contents.seal(owner, 'some-id', small), signal, begin('none'));
  expect(begun).toEqual(['huge', 'none']);
  end();
  await Promise.all([first, second]);
  // One attachment of a large message is not the whole of it.
  const one = contents.holding(huge!, signal, begin('one'), 1);
  await contents.holding(some!, signal, begin('other'), 0);
  await one;
  expect(begun).toEqual(['huge', 'none', 'some', 'one', 'other']);
});
