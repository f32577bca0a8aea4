import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tidings } from '../cli/tidings.js';
import { startServer, temporaryFolder, type ServerProcess } from '../support/index.js';

// Three folders up from dist/test/docs.
const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
const program = fileURLToPath(new URL('../../apps/cli/main.js', import.meta.url));
const run = promisify(execFile);

let server: ServerProcess;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer(folder.path);
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

test('the examples do what they say', async () => {
  const examples = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands!);
  expect(examples).toHaveLength(7);
  const script = examples
    .map((example) => `${example}\necho; echo "-- next --"`)
    .join('\n')
    .replaceAll('npx tidings', `"${process.execPath}" "${program}"`)
    .replaceAll('http://127.0.0.1:3000', server.url);
  const env = { PATH: process.env.PATH, TIDINGS_URL: server.url };
  const { stdout } = await run('bash', ['-euc', script], { cwd: folder.path, env });
  const [help, , sent, shown, consumers, dryRun, rebuilt] = stdout.split('-- next --');
  expect(help).toMatch(/^Usage: tidings <command>[\s\S]*Usage: tidings send/);
  expect(sent).toMatch(/^status +sent$/m);
  expect(shown).toMatch(/^subject +Invoice 8$[\s\S]*notification\.sent\.v1/m);
  expect(consumers).toMatch(/email\.send-bot +paused[\s\S]*email\.send-bot +running[\s\S]*none/);
  expect(dryRun).toContain('would be redriven: 0\nnothing to redrive');
  expect(rebuilt).toMatch(/query-index +serving +1[\s\S]*notification\.view: version 2 serves\n[\s\S]*"version":2/);
});

test('all commands, options of send and exit codes are there', async () => {
  const { stdout: help } = await tidings(['--help']);
  const section = (name: string): string => help.slice(help.indexOf(`${name}:`)).split('\n\n')[0]!;
  const commands = [...section('Commands').matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
  expect(commands.length).toBeGreaterThan(5);
  for (const name of commands) expect(page).toMatch(new RegExp(`^\\| \`${name}\\b`, 'm'));
  for (const [, code, meaning] of section('Exit codes').matchAll(/^ {2}(\d) +(.+)$/gm))
    expect(page).toMatch(new RegExp(`^\\| ${code} +\\| ${meaning} +\\|$`, 'm'));
  const { stdout: send } = await tidings(['send', '--help']);
  for (const [, option] of send.matchAll(/^ {2}(--[\w-]+)/gm)) expect(page).toContain(`\`${option}`);
});
