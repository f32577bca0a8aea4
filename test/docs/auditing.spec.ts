import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Api, eventually, Program, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';

// Three folders up from dist/test/docs.
const page = readFileSync(new URL('../../../docs/auditing.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands!);
const run = promisify(execFile);

let server: ServerProcess;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let id: string;
let position: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startServer(folder.path);
  const api = new Api(server.url);
  await api.putRecipient('ada', 'ada@example.com');
  id = await api.notify('ada');
  await api.finalView(id);
  position = (await api.events(id))[0]!.position;
});

afterAll(async () => {
  await server.kill();
  await folder.remove();
});

/** A shell script of the examples, about this server and its notification. */
function script(...commands: readonly string[]): string {
  return [`notification=${id}`, `position=${position}`, ...commands]
    .join('\n')
    .replaceAll('http://127.0.0.1:3000', server.url);
}

test('the examples do what they say', async () => {
  const [flow, next, exporting, ...rest] = examples;
  const [asOf] = rest;
  const commands = [flow!, next!, exporting!, asOf!].map((example) => `${example}\necho; echo "-- next --"`);
  const { stdout } = await run('bash', ['-euc', script(...commands)], { cwd: folder.path });
  const [first, second, , states] = stdout.split('\n-- next --\n');
  const answer = JSON.parse(first!) as { items: object[] };
  const documented = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)![1]!) as typeof answer;
  expect(Object.keys(answer)).toEqual(Object.keys(documented));
  expect(Object.keys(answer.items[0]!)).toEqual(Object.keys(documented.items[0]!));
  expect(answer.items).toHaveLength(2);
  expect(second).toContain('"type":"notification.sent.v1"');
  expect(states).toContain('"status":"requested"');
  expect(states).toContain('/problems/not-found');
  const lines = (await readFile(join(folder.path, 'events.ndjson'), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toContain('recipient.put.v1');
});

test('what follows goes on until the server stops', async () => {
  const live = examples.slice(4);
  expect(live).toHaveLength(2);
  const programs = live.map((example) => {
    return new Program('bash', ['-euc', script(example)], { cwd: folder.path, env: { PATH: process.env['PATH']! } });
  });
  for (const program of programs) {
    await eventually(async () => (program.stdout.includes('\ndata: ') ? true : undefined));
  }
  await server.stop();
  const [view, events] = await Promise.all(programs.map((program) => program.ended()));
  expect([view!.code, events!.code]).toEqual([0, 0]);
  expect(view!.stdout).toContain('"status":"sent"');
  expect(events!.stdout).toMatch(/^retry: 1000\n\nid: \d+\ndata: \{.*"type":"notification\.requested\.v1"/);
});
