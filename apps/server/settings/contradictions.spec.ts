import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testOnlyCertificate, testOnlyKey } from '#libs/testing';
import { readSettings } from './index.js';

const tls = { TIDINGS_FACADE_TLS_CERT: 'cert.pem', TIDINGS_FACADE_TLS_KEY: 'key.pem' };
const user = { TIDINGS_FACADE_USER: 'auditor', TIDINGS_FACADE_PASSWORD: 'password-canary' };

let cwd: string;

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'tidings-settings-'));
  await writeFile(join(cwd, 'keys.json'), '[]');
  await writeFile(join(cwd, 'cert.pem'), testOnlyCertificate);
  await writeFile(join(cwd, 'key.pem'), testOnlyKey);
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(join(cwd, 'other.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
});

afterAll(() => rm(cwd, { recursive: true }));

test.each(['0.0.0.0', '::', '192.0.2.7', 'example.com'])('HOST=%s needs API keys', (host) => {
  expect(readSettings({ HOST: host }, [], cwd)).toEqual({
    error: 'HOST must be a loopback address (127.0.0.1, ::1, localhost) unless TIDINGS_API_KEYS_FILE is set',
  });
  const reading = readSettings({ HOST: host, TIDINGS_API_KEYS_FILE: 'keys.json' }, [], cwd);
  expect(reading).toMatchObject({ settings: { host, apiKeysFile: join(cwd, 'keys.json') } });
});

test.each([
  ['{', 'is not JSON'],
  ['{}', 'is not a list'],
  ['[{"name": "shop", "hash": "canary", "scopes": ["*"]}]', 'hash must be a SHA-256'],
])('TIDINGS_API_KEYS_FILE with %j does not start', async (text, error) => {
  await writeFile(join(cwd, 'malformed.json'), text);
  const reading = readSettings({ TIDINGS_API_KEYS_FILE: 'malformed.json' }, [], cwd);
  expect(reading).toEqual({ error: expect.stringMatching(`^TIDINGS_API_KEYS_FILE names a file that .*${error}.*`) });
  expect(JSON.stringify(reading)).not.toContain('canary');
});

test('TIDINGS_BOUNCE_LISTEN needs TIDINGS_BOUNCE_ADDRESS', () => {
  expect(readSettings({ TIDINGS_BOUNCE_LISTEN: '2525' }, [], cwd)).toEqual({
    error: 'TIDINGS_BOUNCE_LISTEN needs TIDINGS_BOUNCE_ADDRESS: it takes mail to that address only',
  });
});

test.each([
  ['2525', { host: '127.0.0.1', port: 2525 }],
  ['0.0.0.0:25', { host: '0.0.0.0', port: 25 }],
  ['[::1]:0', { host: '::1', port: 0 }],
])('TIDINGS_BOUNCE_LISTEN=%s', (bounceListen, address) => {
  const env = { TIDINGS_BOUNCE_ADDRESS: 'Bounces@M\u00fcnchen.example', TIDINGS_BOUNCE_LISTEN: bounceListen };
  expect(readSettings(env, [], cwd)).toMatchObject({
    settings: { bounceAddress: 'Bounces@xn--mnchen-3ya.example', bounceListen: address },
  });
});

test.each([
  ['127.0.0.1:2113', {}, { host: '127.0.0.1', port: 2113 }],
  ['[::1]:0', {}, { host: '::1', port: 0 }],
  ['localhost:2113', tls, { host: 'localhost', port: 2113 }],
  ['127.0.0.1:2113', { ...tls, ...user }, { host: '127.0.0.1', port: 2113 }],
  ['0.0.0.0:2113', { ...tls, ...user }, { host: '0.0.0.0', port: 2113 }],
])('TIDINGS_FACADE=%s with %j', (facade, more, address) => {
  const reading = readSettings({ TIDINGS_FACADE: facade, ...more }, [], cwd);
  expect(reading).toMatchObject({ settings: { facade: address } });
});

test.each([
  ['0.0.0.0:2113', {}, 'TIDINGS_FACADE must be a loopback address'],
  ['0.0.0.0:2113', tls, 'TIDINGS_FACADE must be a loopback address'],
  ['example.com:2113', user, 'TIDINGS_FACADE must be a loopback address'],
  ['127.0.0.1:2113', user, 'clients send no credentials without TLS'],
  ['127.0.0.1:2113', { TIDINGS_FACADE_TLS_CERT: 'cert.pem' }, 'must both be set or neither'],
  ['127.0.0.1:2113', { ...tls, TIDINGS_FACADE_USER: 'auditor' }, 'must both be set or neither'],
  ['127.0.0.1:2113', { ...tls, TIDINGS_FACADE_TLS_KEY: 'other.pem' }, 'must be the key of the certificate'],
  ['127.0.0.1:2113', { ...tls, TIDINGS_FACADE_TLS_KEY: 'cert.pem' }, 'a private key in PEM format'],
  ['127.0.0.1:2113', { ...tls, ...user, TIDINGS_FACADE_PASSWORD: 'canary' }, 'must have 12 to 200 characters'],
  ['127.0.0.1:2113', { TIDINGS_EVENTSTORE_URL: 'esdb://127.0.0.1:2114?tls=false' }, 'its clients go there'],
])('TIDINGS_FACADE=%s with %j does not start', (facade, more, error) => {
  const reading = readSettings({ TIDINGS_FACADE: facade, ...more }, [], cwd);
  expect(reading).toEqual({ error: expect.stringContaining(error) });
  expect(JSON.stringify(reading)).not.toContain('canary');
});

test('TIDINGS_PARTITIONS is for processes that share a store', () => {
  expect(readSettings({ TIDINGS_PARTITIONS: '4' }, [], cwd)).toEqual({
    error: 'TIDINGS_PARTITIONS needs a TIDINGS_EVENTSTORE_URL: only one process can use the embedded store',
  });
  const shared = { TIDINGS_PARTITIONS: '4', TIDINGS_EVENTSTORE_URL: 'esdb://db.example.com?tls=false' };
  expect(readSettings(shared, [], cwd)).toMatchObject({ settings: { partitions: 4, leaseSeconds: 10 } });
});

test.each([{}, { TIDINGS_EVENTSTORE_URL: 'esdb://db.example.com?tls=false' }])(
  'TIDINGS_EVENTSTORE_CA with %j',
  (more) => {
    const reading = readSettings({ TIDINGS_EVENTSTORE_CA: 'cert.pem', ...more }, [], cwd);
    expect(reading).toEqual({ error: 'TIDINGS_EVENTSTORE_CA needs a TIDINGS_EVENTSTORE_URL with TLS' });
  },
);

const eventStore = { TIDINGS_EVENTSTORE_URL: 'esdb://db.example.com?tls=false' };
const shared = { TIDINGS_KEYS_URL: 'redis://keys.example.com', TIDINGS_BLOBS_URL: 's3://blobs' };

test.each([
  ['TIDINGS_KEYS_URL', { ...eventStore, TIDINGS_BLOBS_URL: 's3://blobs' }],
  ['TIDINGS_BLOBS_URL', { ...eventStore, TIDINGS_KEYS_URL: 'redis://keys.example.com' }],
  ['either', eventStore],
])('roles on several machines do not start without %s', (_, more) => {
  const reading = readSettings({ TIDINGS_ROLES: 'api,bots', ...more }, [], cwd);
  expect(reading).toEqual({
    error:
      'TIDINGS_ROLES leaves roles to other processes, which cannot use what is in the data folder of this one: ' +
      'TIDINGS_KEYS_URL and TIDINGS_BLOBS_URL must be set',
  });
});

test.each([
  ['roles on several machines with shared stores', { ...eventStore, ...shared, TIDINGS_ROLES: 'bots' }],
  ['all roles with EventStoreDB', { ...eventStore, TIDINGS_ROLES: 'projectors,sagas,bots,api' }],
  ['some roles with the embedded store, whose folder one process has', { TIDINGS_ROLES: 'api' }],
  ['shared stores with the embedded store', shared],
])('%s start', (_, more) => {
  expect(readSettings(more, [], cwd)).toMatchObject({ settings: expect.anything() });
});

test.each([{}, { TIDINGS_KEYS_URL: 'redis://keys.example.com' }])('TIDINGS_KEYS_CA with %j', (more) => {
  const reading = readSettings({ TIDINGS_KEYS_CA: 'cert.pem', ...more }, [], cwd);
  expect(reading).toEqual({ error: 'TIDINGS_KEYS_CA needs a TIDINGS_KEYS_URL with TLS' });
});

test.each([{ TIDINGS_KEYS_URL: 'redis://canary@keys.example.com' }, { TIDINGS_BLOBS_URL: 's3://canary:canary@blobs' }])(
  'a shared store that cannot be read is named without its value',
  (variables) => {
    const reading = readSettings(variables, [], cwd);
    expect(reading).toEqual({ error: expect.stringContaining(`${Object.keys(variables)[0]} must have`) });
    expect(JSON.stringify(reading)).not.toContain('canary');
  },
);
