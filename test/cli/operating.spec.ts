import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ParkedPage, Redriven, ViewView } from '#libs/operator';
import { allParked, restartWithBrokenFlow, type BrokenFlow } from '../scenario/operator/parked-records.js';
import { useServer } from '../support/index.js';
import { rowsOf, tidings } from './tidings.js';

const server = useServer();
const { api } = server;
let flow: BrokenFlow;
let total: number;

beforeAll(async () => {
  ({ flow } = await restartWithBrokenFlow(server));
  total = (await allParked(api)).length;
});

function run(...args: string[]) {
  return tidings(args, { TIDINGS_URL: server.url });
}

async function parked(): Promise<ParkedPage> {
  return (await api.request<ParkedPage>('GET', '/v1/parked')).body;
}

describe('parked', () => {
  test('lists what is parked, by filter and page by page', async () => {
    const { items } = await parked();
    const all = await run('parked');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(rowsOf(all.stdout).map(([id, consumer, type]) => [id, consumer, type])).toEqual(
      items.map(({ id, consumer, record }) => [id, consumer, record.type]),
    );
    expect(JSON.parse((await run('parked', '--json')).stdout)).toEqual(await parked());
    expect(rowsOf((await run('parked', '--consumer', 'notification.fan-out-bot')).stdout)).toHaveLength(1);
    expect((await run('parked', '--correlation-id', 'another')).stdout).toBe('none\n');

    const first = await run('parked', '--limit', String(total - 1));
    expect(rowsOf(first.stdout)).toHaveLength(total - 1);
    const [, cursor] = /^tidings: there are more: --cursor (\S+)\n$/.exec(first.stderr)!;
    expect(rowsOf((await run('parked', '--cursor', cursor!)).stdout).map(([id]) => id)).toEqual([items.at(-1)!.id]);
  });

  test('shows all of one', async () => {
    const [bad] = (await parked()).items;
    const { code, stdout } = await run('parked', bad!.id);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^stream +${flow.brokenStream}$`, 'm'));
    expect(stdout).toMatch(/^unreadable +unknown type/m);
    expect(stdout).toMatch(/^data +{"hello":"world"}$/m);
    expect(stdout).toMatch(/^TRIED +ERROR\n\S+Z +from\.the-future\.v9 in /m);
  });
});

test('handling tells what every consumer did with a record', async () => {
  const { code, stdout } = await run('handling', flow.operationStream, '0');
  expect(code).toBe(0);
  expect(rowsOf(stdout).map(([consumer, what]) => `${consumer} ${what}`)).toEqual([
    'notification.send-bot pending',
    'notification.send-bot failed',
    'notification.send-bot parked',
  ]);
});

describe('redrive', () => {
  test('wants to be told which', async () => {
    const { code, stderr } = await run('redrive');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^tidings: which ones\?.*--all\n$/) });
  });

  test('only tells which in a dry run', async () => {
    const { items } = await parked();
    const { code, stdout } = await run('redrive', '--all', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toBe(`would be redriven: ${total}\n\n${items.map(({ id }) => id).join('\n')}\n`);
    expect(await parked()).toEqual({ items, nextCursor: null });
  });

  test('hands out what it is told, and says so when that is nothing', async () => {
    const [bad] = (await parked()).items;
    const { code, stdout } = await run('redrive', bad!.id, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout) as Redriven).toEqual({ dryRun: false, count: 1, ids: [bad!.id] });
    expect(await allParked(api)).toHaveLength(total);
    expect(await run('redrive', '--error', 'no such error')).toEqual({ code: 1, stdout: 'redriven: 0\n', stderr: '' });
  });
});

test('archive gives a record up', async () => {
  const [bad] = (await parked()).items;
  const { code, stdout } = await run('archive', bad!.id);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `id     ${bad!.id}\nstate  archived\n` });
  expect(rowsOf((await run('parked', '--state', 'archived')).stdout).map(([id]) => id)).toEqual([bad!.id]);
  expect((await run('archive', 'x')).code).toBe(4);
});

test('consumers, pause and resume', async () => {
  const stateOf = async (): Promise<string | undefined> =>
    rowsOf((await run('consumers')).stdout).find(([name]) => name === 'email.send-bot')?.[1];
  expect(await stateOf()).toBe('running');
  expect(rowsOf((await run('pause', 'email.send-bot')).stdout)[0]!.slice(0, 2)).toEqual(['email.send-bot', 'paused']);
  expect(await stateOf()).toBe('paused');
  expect((await run('resume', 'email.send-bot')).code).toBe(0);
  expect(await stateOf()).toBe('running');
  const { items } = JSON.parse((await run('consumers', '--json')).stdout) as { items: unknown[] };
  expect(items.length).toBeGreaterThan(4);
  expect((await run('pause', 'nobody')).code).toBe(4);
});

describe('views', () => {
  test('lists them', async () => {
    const { code, stdout } = await run('views');
    expect(code).toBe(0);
    expect(rowsOf(stdout).map(([name, state]) => `${name} ${state}`)).toEqual([
      'broadcast.view serving',
      'notification.view serving',
      'query-index serving',
    ]);
  });

  test('builds one anew, and ends when that serves', async () => {
    const { code, stdout, stderr } = await run('views', 'rebuild', 'notification.view');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'notification.view: version 2 serves\n', stderr: '' });
    const lines = (await run('views', 'rebuild', 'broadcast.view', '--json')).stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(0);
    const views = lines.map((line) => JSON.parse(line) as ViewView);
    expect(views.at(-1)).toMatchObject({ name: 'broadcast.view', state: 'serving', version: 2, rebuild: null });
    expect((await run('views', 'rebuild', 'query-index', '--no-wait')).code).toBe(0);
    expect((await run('views', 'cancel', 'broadcast.view')).code).toBe(0);
  });

  test('wants to be told what, and which', async () => {
    expect((await run('views', 'repaint', 'notification.view')).code).toBe(2);
    expect((await run('views', 'rebuild')).code).toBe(2);
    expect((await run('views', 'rebuild', 'nothing')).code).toBe(4);
  });
});

test('colours only what wants them', async () => {
  const args = ['consumers', '--url', server.url];
  expect((await tidings(args)).stdout).not.toContain('\u001b[');
  expect((await tidings(args, { FORCE_COLOR: '1' })).stdout).toContain('\u001b[32mrunning');
});
