import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOfKey, newKey } from '#libs/access';
import { described, goodContent, type RequestCheck } from './request-checks.js';

const expired = newKey('expired');
const sender = newKey('sender');
const long = 'x'.repeat(513);

/** Opens everything. */
export const ownerKey = newKey('owner');

/** Writes the keys of the checks into a file of the folder. @returns its path */
export async function writeKeys(folder: string): Promise<string> {
  const file = join(folder, 'keys.json');
  const entries = [
    { name: 'owner', hash: hashOfKey(ownerKey), scopes: ['*'] },
    { name: 'expired', hash: hashOfKey(expired), scopes: ['*'], notAfter: '2026-01-01T00:00:00Z' },
    { name: 'sender', hash: hashOfKey(sender), scopes: ['notifications:write'] },
    { name: 'long', hash: hashOfKey(long), scopes: ['*'] },
  ];
  await writeFile(file, JSON.stringify(entries));
  return file;
}

const asked =
  (authorization: string, method = 'GET', path = '/v1/notifications', body?: unknown): RequestCheck =>
  async (api) =>
    described(await api.request(method, path, body, { authorization }));

/** By the input as the table has it. */
export const accessChecks: Readonly<Record<string, RequestCheck>> = {
  'no key': asked(''),
  'a key that is not known': asked(`Bearer ${newKey('owner')}`),
  'a key whose time is over': asked(`Bearer ${expired}`),
  'a key of 513 characters': asked(`Bearer ${long}`),
  'a key by basic authentication': asked(`Basic ${Buffer.from(`owner:${ownerKey}`).toString('base64')}`),
  'a key in the URL': asked('', 'GET', `/v1/notifications?access_token=${ownerKey}`),
  'no key, for a path that does not exist': asked('', 'GET', '/v1/nothing'),
  'no key, and a body that is malformed': asked('', 'POST', '/v1/notifications', '{'),
  'a key without the scope': asked(`Bearer ${sender}`),
  'a key without the scope to tell several recipients': asked(`Bearer ${sender}`, 'POST', '/v1/notifications', {
    recipientIds: ['good'],
    content: goodContent,
  }),
  'a key that may do less, for a path that does not exist': asked(`Bearer ${sender}`, 'GET', '/v1/nothing'),
  'no key, for /health/ready': asked('', 'GET', '/health/ready'),
};
