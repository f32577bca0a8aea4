import { expect, test } from '@jest/globals';
import { hashOfKey, newKey } from './api-key.js';
import { KeyFileMalformed, parseKeyFile, type KeyEntry } from './key-file.js';

const entry = { name: 'shop', hash: hashOfKey('a'), scopes: ['notifications:write'] };

test('a list of entries, each with its scopes, some with an end', () => {
  const entries = [
    entry,
    { name: 'Ops.team-1', hash: 'AB'.repeat(32), scopes: ['*'], notAfter: '2027-01-31T00:00:00Z' },
    { name: 'shop', hash: hashOfKey('b'), scopes: ['operate', 'metrics:read'], notAfter: null },
  ];
  expect(parseKeyFile(JSON.stringify(entries))).toEqual(entries);
  expect(parseKeyFile('[]')).toEqual([]);
});

test.each<[unknown, string]>([
  [{ keys: [] }, 'is not a list'],
  [[7], 'must be an object in entry 1'],
  [[entry, { ...entry, name: 'two words' }], 'name must be 1 to 63 letters'],
  [[{ ...entry, name: '' }], 'name must be 1 to 63 letters'],
  [[{ ...entry, key: 'canary' }], 'key is not a known field in entry 1'],
  [[{ ...entry, hash: newKey('canary') }], 'hash must be a SHA-256'],
  [[{ ...entry, hash: undefined }], 'hash is required'],
  [[{ ...entry, scopes: [] }], 'scopes must name one at least'],
  [[{ ...entry, scopes: ['everything'] }], 'scopes must be some of notifications:write, '],
  [[{ ...entry, scopes: ['operate', 'operate'] }], 'scopes must not name one twice'],
  [[{ ...entry, scopes: '*' }], 'scopes must be an array'],
  [[{ ...entry, notAfter: 'tomorrow' }], 'notAfter must be an RFC 3339 time'],
  [[entry, { ...entry, name: 'other' }], 'has the key of entry 2 twice'],
  [[entry, { ...entry, hash: Buffer.from(entry.hash, 'hex').toString('base64url') }], 'has the key of entry 2 twice'],
])('%j is refused, in one line that quotes nothing', (content, message) => {
  const read = (): readonly KeyEntry[] => parseKeyFile(JSON.stringify(content));
  expect(read).toThrow(KeyFileMalformed);
  expect(read).toThrow(message);
  expect(read).not.toThrow(/canary|\n/);
});

test('text that is no JSON is not quoted', () => {
  expect(() => parseKeyFile('[canary')).toThrow(new KeyFileMalformed('is not JSON'));
});
