import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ParkedPage } from '#libs/operator';
import { restartWithBrokenFlow, type BrokenFlow } from '../scenario/operator/parked-records.js';
import { eventually, useServer } from '../support/index.js';

// Three folders up from dist/test/docs.
const page = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
const run = promisify(execFile);

afterAll(() => server.stop());

const server = useServer();
let flow: BrokenFlow;
let id: string;

beforeAll(async () => {
  ({ flow } = await restartWithBrokenFlow(server));
  const parked = await eventually(async () => {
    const { body } = await server.api.request<ParkedPage>('GET', '/v1/parked?consumer=notification.send-bot');
    return body.items[0];
  });
  id = parked.id;
});

test('the examples do what they say', async () => {
  const examples = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands!);
  expect(examples).toHaveLength(7);
  const script = [`id=${id}`, `notification=${flow.id}`, ...examples.map((example) => `${example}\necho "-- next --"`)]
    .join('\n')
    .replaceAll('http://127.0.0.1:3000', server.url);
  const { stdout } = await run('bash', ['-euc', script], { cwd: server.dataDir });
  const [consumers, turned, parked, redriven, archived, handling, rebuilt] = stdout.split('-- next --\n');
  expect(Object.keys(itemsOf(consumers!)[0]!)).toEqual(Object.keys(itemsOf(answerAfter('## See how'))[0]!));
  expect(turned).toMatch(/"state":"paused".*"state":"running"/);
  const [item] = itemsOf(parked!);
  expect(item).toMatchObject({ id, state: 'parked' });
  expect(Object.keys(item!)).toEqual(Object.keys(itemsOf(answerAfter('## See what'))[0]!));
  expect(JSON.parse(redriven!)).toEqual({ dryRun: true, count: 1, ids: [id] });
  expect(JSON.parse(archived!)).toMatchObject({ id, state: 'archived' });
  const [asked, listed] = rebuilt!.split('}{') as [string, string];
  expect(Object.keys(JSON.parse(`${asked}}`) as object)).toEqual(
    Object.keys(JSON.parse(answerAfter('## Build a view')) as object),
  );
  expect(itemsOf(`{${listed}`).map((view) => (view as { name: string }).name)).toContain('query-index');
  const [handled] = itemsOf(handling!);
  expect(handled).toMatchObject({ consumer: 'notification.send-bot', state: 'archived' });
  expect(Object.keys(handled!).sort()).toEqual(Object.keys(JSON.parse(answerAfter('## Find out')) as object).sort());
});

/** The first JSON example after a heading. */
function answerAfter(heading: string): string {
  return /```json\n([\s\S]*?)```/.exec(page.slice(page.indexOf(heading)))![1]!;
}

function itemsOf(answer: string): readonly object[] {
  return (JSON.parse(answer) as { items: object[] }).items;
}
