import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startServer, temporaryFolder, type ServerProcess } from '../support/index.js';

// Three folders up from dist/test/docs.
const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
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

/** The shell commands of the tour, one text a step. */
function tour(): string[] {
  const section = readme.slice(readme.indexOf('## Tour'), readme.indexOf('## API'));
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands!);
}

test('the tour does what it says', async () => {
  const steps = tour();
  expect(steps).toHaveLength(6);
  // One shell, as a reader has it: a step uses the variables of those before.
  const script = steps.map((step) => `${step}\necho; echo "-- next --"`).join('\n');
  const { stdout } = await run('bash', ['-euc', script.replaceAll('http://127.0.0.1:3000', server.url)], {
    cwd: folder.path,
  });
  const [put, post, view, mail, events, erased] = stdout.split('-- next --');
  expect(put).toMatch(/^HTTP\/1.1 201 Created[\s\S]*etag: "0"/);
  expect(post).toMatch(/^\s*HTTP\/1.1 202 Accepted/);
  expect(JSON.parse(view!)).toMatchObject({ status: 'sent', sandbox: true, subject: 'Invoice 7' });
  expect(mail).toContain('Subject: Invoice 7');
  const { items } = JSON.parse(events!) as { items: { type: string }[] };
  // The timer that ends what the sandbox keeps comes a moment after the rest.
  expect(items.filter(({ type }) => !type.startsWith('runtime.'))).toHaveLength(8);
  const [receipt, after] = splitJson(erased!.trim());
  expect(JSON.parse(receipt!)).toEqual({ id: 'ada', erased: true });
  expect(JSON.parse(after!)).toMatchObject({ status: 'sent', subject: '[erased]' });
});

/** Two JSON documents with nothing in between. */
function splitJson(text: string): string[] {
  const end = text.indexOf('}{') + 1;
  return [text.slice(0, end), text.slice(end)];
}
