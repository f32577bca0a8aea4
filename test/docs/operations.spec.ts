import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Api, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';

// Three folders up from dist/test/docs.
const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/operations.md', root), 'utf8');
const program = fileURLToPath(new URL('../../apps/cli/main.js', import.meta.url));
const run = promisify(execFile);

let server: ServerProcess;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const dataDir = () => join(folder.path, 'lib/tidings');

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(dataDir(), { recursive: true });
  server = await startServer(dataDir());
});

afterAll(async () => {
  await server.kill();
  await folder.remove();
});

/** The example of a section, on this machine: its output. */
async function example(heading: string, index = 0): Promise<string> {
  const section = page.slice(page.indexOf(`\n${heading}\n`)).slice(1);
  const [, commands] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)][index]!;
  const script = ['newest=$(ls -d /var/backups/tidings/tidings-* 2>/dev/null | tail -n 1)', commands!]
    .join('\n')
    .replaceAll('npx tidings', `"${process.execPath}" "${program}"`)
    .replaceAll('/var/lib/', join(folder.path, 'lib/'))
    .replaceAll('/var/backups/', join(folder.path, 'backups/'))
    .replaceAll('http://127.0.0.1:3000', server.url);
  const env = { PATH: process.env.PATH, TIDINGS_URL: server.url };
  return (await run('bash', ['-c', `set -eu\n${script}`], { cwd: folder.path, env })).stdout;
}

test('the examples do what they say', async () => {
  const api = new Api(server.url);
  await api.putRecipient('ada', 'ada@example.com');
  const id = await api.notify('ada');
  await api.finalView(id);
  expect(await example('## See whether it is well')).toMatch(/"status":"up"/);
  expect(await example('## Back up')).toMatch(/^backup +\S+tidings-\d{8}T\d+Z$/m);
  await api.request('DELETE', '/v1/recipients/ada');
  await example('### Erase again who was erased since', 1);
  const erasures = await readFile(join(folder.path, 'erasures.ndjson'), 'utf8');
  expect(erasures).toContain('"stream":"recipient.event-ada"');
  expect(await example('## Make room on a full disk')).toContain('events.db');
  await server.stop();

  expect(await example('## Restore')).toContain('lib/tidings-restored');
  server = await startServer(join(folder.path, 'lib/tidings-restored'));
  const restored = new Api(server.url);
  expect((await restored.view(id)).subject).toBe('Hello');
  expect(await example('### Erase again who was erased since')).toMatch(/^ada +yes$/m);
  expect((await restored.view(id)).subject).toBe('[erased]');
});

test('the services start what the scripts start', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const started = [...page.matchAll(/^ExecStart=\/usr\/bin\/(node .*)$/gm)].map(([, command]) => command);
  expect(scripts['start:built']).toBe(`exec ${started[0]}`);
  expect(started[1]).toMatch(/^node dist\/apps\/cli\/main\.js backup /);
});

test('the alerts ask for metrics that there are', () => {
  const metrics = readFileSync(new URL('docs/metrics.md', root), 'utf8');
  const rules = /```yaml\n([\s\S]*?)```/.exec(page)![1]!;
  const asked = [...new Set([...rules.matchAll(/tidings_\w+/g)].map(([name]) => name.replace(/_count$/, '')))];
  expect(asked.length).toBeGreaterThan(4);
  for (const name of asked) expect(metrics).toContain(`| \`${name}\``);
});
