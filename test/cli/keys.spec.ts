import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOfKey } from '#libs/access';
import { eventually, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';
import { rowsOf, tidings } from './tidings.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'keys.json');
});

afterAll(() => folder?.remove());

const run = (...args: string[]) => tidings(['keys', ...args], { TIDINGS_API_KEYS_FILE: file });
const read = () => readFile(file, 'utf8');

async function create(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('create', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('shown this once') });
  return stdout.trim();
}

test('a key is made, told of and taken away, and never stands in the file', async () => {
  const key = await create('--name', 'shop', '--scope', 'notifications:write', '--scope', 'recipients:write');
  expect(key).toMatch(/^tdk_shop_[\w-]{43}$/);
  const entry = { name: 'shop', hash: hashOfKey(key), scopes: ['notifications:write', 'recipients:write'] };
  expect(JSON.parse(await read())).toEqual([entry]);
  const second = await create('--name', 'shop', '--scope', '*', '--not-after', '2999-01-31T00:00:00Z');
  expect(await read()).not.toContain(second.slice(-43));

  const { code, stdout } = await run('list');
  expect(code).toBe(0);
  const hashes = [key, second].map((one) => hashOfKey(one).slice(0, 8));
  expect(rowsOf(stdout)).toEqual([
    ['shop', hashes[0], 'notifications:write recipients:write', '-', 'valid'],
    ['shop', hashes[1], '*', '2999-01-31T00:00:00Z', 'valid'],
  ]);

  expect(await run('revoke', 'shop', '--hash', hashes[0]!)).toMatchObject({ code: 0, stdout: 'revoked  1\n' });
  expect((JSON.parse(await read()) as { hash: string }[]).map(({ hash }) => hash)).toEqual([hashOfKey(second)]);
  expect((await run('revoke', 'shop')).code).toBe(0);
  expect(JSON.parse(await read())).toEqual([]);
  expect(await run('revoke', 'shop')).toMatchObject({ code: 1, stderr: expect.stringContaining('has no such key') });
});

test('for programs, everything is JSON', async () => {
  const made = JSON.parse((await run('create', '--name', 'ops', '--scope', 'operate', '--json')).stdout) as object;
  expect(made).toEqual({ key: expect.any(String), name: 'ops', hash: expect.any(String), scopes: ['operate'] });
  expect(JSON.parse((await run('list', '--json')).stdout)).toEqual({
    items: [expect.objectContaining({ name: 'ops', notAfter: null, expired: false })],
  });
});

test.each([
  [['keys'], 2, /which of keys create, keys list, keys revoke\?/],
  [['keys', 'make'], 2, /which of keys create/],
  [['keys', 'create', '--scope', '*'], 2, /--name is required/],
  [['keys', 'create', '--name', 'a b', '--scope', '*'], 2, /--name must be 1 to 63 letters/],
  [['keys', 'create', '--name', 'a'], 2, /--scope must name one at least/],
  [['keys', 'create', '--name', 'a', '--scope', 'all'], 2, /--scope must be some of notifications:write, /],
  [['keys', 'create', '--name', 'a', '--scope', '*', '--not-after', 'soon'], 2, /--not-after must be an RFC 3339 time/],
  [['keys', 'create', '--name', 'a', '--scope', '*', '--not-after', '2020-01-01T00:00:00Z'], 2, /in the future/],
  [['keys', 'revoke'], 2, /<name> is missing/],
  [['keys', 'list', '--file', 'nothing.json'], 7, /nothing\.json cannot be read \(ENOENT\)/],
  [['keys', 'revoke', 'a', '--file', 'nothing.json'], 7, /nothing\.json cannot be read \(ENOENT\)/],
  [['keys', 'create', '--name', 'a', '--scope', '*', '--file', '/nothing/keys.json'], 7, /ENOENT/],
])('%j is a mistake, and changes nothing', async (args, exitCode, error) => {
  const { code, stdout, stderr } = await tidings(args, { TIDINGS_API_KEYS_FILE: join(folder.path, 'untouched.json') });
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
  expect(stderr).toMatch(/^tidings: .*\n$/);
  expect(stderr).toMatch(error);
  await expect(readFile(join(folder.path, 'untouched.json'))).rejects.toThrow('ENOENT');
});

test('without a file nothing is done', async () => {
  const { code, stderr } = await tidings(['keys', 'list']);
  expect({ code, stderr }).toEqual({ code: 2, stderr: 'tidings: --file or TIDINGS_API_KEYS_FILE is required\n' });
});

describe('a server that asks for keys', () => {
  let server: ServerProcess;
  let operator: string;

  beforeAll(async () => {
    operator = await create('--name', 'operator', '--scope', 'operate');
    server = await startServer(folder.path, { TIDINGS_API_KEYS_FILE: file });
  });

  afterAll(() => server?.kill());

  const ask = (args: string[], env: Readonly<Record<string, string>> = {}) =>
    tidings(args, { TIDINGS_URL: server.url, ...env });

  test('takes the key of the environment, or of a file', async () => {
    expect((await ask(['consumers'], { TIDINGS_API_KEY: operator })).code).toBe(0);
    const keyFile = join(folder.path, 'operator.key');
    await writeFile(keyFile, `${operator}\n`);
    expect((await ask(['consumers', '--key-file', keyFile])).code).toBe(0);
  });

  test('refuses everybody else with a code of its own', async () => {
    expect(await ask(['consumers'])).toMatchObject({ code: 8, stderr: expect.stringMatching(/not allowed \(401\)/) });
    expect(await ask(['consumers'], { TIDINGS_API_KEY: 'wrong' })).toMatchObject({ code: 8 });
    expect(await ask(['show', 'x'], { TIDINGS_API_KEY: operator })).toMatchObject({
      code: 8,
      stderr: 'tidings: not allowed (403): the API key needs the scope notifications:read\n',
    });
  });

  test('takes a new key while it runs, and refuses one that was taken away', async () => {
    const key = await create('--name', 'late', '--scope', 'operate');
    const codeOf = async () => (await ask(['consumers'], { TIDINGS_API_KEY: key })).code;
    await eventually(async () => ((await codeOf()) === 0 ? true : undefined));
    await run('revoke', 'late');
    await eventually(async () => ((await codeOf()) === 8 ? true : undefined));
  });

  test('a key that is none at all, or a file that is not there, is a mistake that is not shown', async () => {
    const twoWords = await ask(['consumers'], { TIDINGS_API_KEY: 'canary canary' });
    expect(twoWords).toMatchObject({ code: 2, stdout: '' });
    expect(twoWords.stderr).not.toContain('canary');
    expect((await ask(['consumers', '--key-file', 'nothing.key'])).code).toBe(2);
  });
});
