import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseKeyFile, scopeMeanings } from '#libs/access';
import { startServer, temporaryFolder, type ServerProcess } from '../support/index.js';

// Three folders up from dist/test/docs.
const page = readFileSync(new URL('../../../docs/access.md', import.meta.url), 'utf8');
const program = fileURLToPath(new URL('../../apps/cli/main.js', import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(async () => {
  await server?.kill();
  await folder?.remove();
});

async function shell(examples: readonly string[], url = ''): Promise<string[]> {
  const script = examples
    .map((example) => `${example}\necho; echo "-- next --"`)
    .join('\n')
    .replaceAll('npx tidings', `"${process.execPath}" "${program}"`)
    .replaceAll('http://127.0.0.1:3000', url);
  const env = { PATH: process.env.PATH, TIDINGS_URL: url };
  const { stdout } = await promisify(execFile)('bash', ['-euc', script], { cwd: folder.path, env });
  return stdout.split('-- next --').map((text) => text.trim());
}

test('the examples do what they say', async () => {
  const [first, ...rest] = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands!);
  expect(rest).toHaveLength(5);
  await shell([first!]);
  server = await startServer(folder.path, { TIDINGS_API_KEYS_FILE: join(folder.path, 'keys.json') });
  const [curl, cli, service, exchanged, taken] = await shell(rest, server.url);
  expect(JSON.parse(curl!)).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ parked: 0 })]) });
  expect(cli).toMatch(/^NAME[\s\S]*email\.send-bot[\s\S]*none$/);
  expect(service).toMatch(/^shop +\S{8} +notifications:write notifications:read +- +valid$/m);
  expect(exchanged).toBe('revoked  1');
  expect(taken).toBe('revoked  1');
});

test('the table has every scope, and says of it what the code says', () => {
  const rows = [...page.matchAll(/^\| `([a-z]+(?::[a-z]+)?)` +\| (.+?) +\|$/gm)].map(([, scope, meaning]) => [
    scope,
    meaning,
  ]);
  expect(Object.fromEntries(rows)).toEqual(scopeMeanings);
});

test('the file that it shows is one', () => {
  const [, json] = /```json\n([\s\S]*?)```/.exec(page)!;
  expect(parseKeyFile(json!)).toHaveLength(1);
});
