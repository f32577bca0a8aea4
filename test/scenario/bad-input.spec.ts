import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SmtpDouble } from '#libs/testing';
import { Api, eventually, openEvents, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';
import { accessChecks, ownerKey, writeKeys } from './bad-input/access-checks.js';
import { appendBadRecords, followUpChecks, readParked, recordChecks } from './bad-input/record-checks.js';
import { bounceChecks } from './bad-input/bounce-checks.js';
import { batchAndCancelChecks } from './bad-input/batch-and-cancel-checks.js';
import { listChecks } from './bad-input/list-checks.js';
import { requestChecks } from './bad-input/request-checks.js';
import { documentedRows } from './bad-input/table.js';

const documented = documentedRows();
let smtp: SmtpDouble;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let api: Api;

async function start(): Promise<void> {
  const env = { TIDINGS_SMTP_URL: smtp.url, TIDINGS_BLOB_LIMIT_MB: '1' };
  server = await startServer(folder.path, { ...env, TIDINGS_API_KEYS_FILE: await writeKeys(folder.path) });
  api = new Api(server.url, ownerKey);
}

/** How many of them park a record, as a row has it. */
function consumersIn(outcome: string | undefined): number {
  return /^parked by (.*):/.exec(outcome ?? '')?.[1]?.split(', ').length ?? 0;
}

beforeAll(async () => {
  [smtp, folder] = await Promise.all([SmtpDouble.start({ security: 'plain' }), temporaryFolder()]);
  await start();
  await api.putRecipient('good', 'good@example.com');
});

afterAll(async () => {
  await server?.kill();
  await smtp?.close();
  await folder?.remove();
});

test('docs/bad-input.md has a row for every check, and only those', () => {
  const inputs = [
    ...Object.keys(requestChecks),
    ...Object.keys(listChecks),
    ...Object.keys(batchAndCancelChecks),
    ...Object.keys(bounceChecks),
    ...Object.keys(accessChecks),
    ...Object.keys(recordChecks),
    ...Object.keys(followUpChecks),
  ];
  expect([...documented.keys()].sort()).toEqual(inputs.sort());
});

const checks = { ...requestChecks, ...listChecks, ...batchAndCancelChecks, ...accessChecks, ...bounceChecks };

test.each(Object.entries(checks))('%s', async (input, check) => {
  expect(await check(api)).toBe(documented.get(input));
});

test('every problem is a problem document that repeats nothing of what was sent', async () => {
  const canary = 'canary\r\nvalue';
  const body = { recipientId: 'good', content: { subject: canary, text: '' }, tags: { a: canary } };
  const { status, headers, body: problem } = await api.request('POST', '/v1/notifications', body);
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(problem).toMatchObject({ type: '/problems/validation', title: expect.any(String), status });
  expect(problem.errors).toHaveLength(3);
  expect(JSON.stringify(problem)).not.toContain('canary');
});

describe('in the store', () => {
  let keys: ReadonlyMap<string, string>;
  let parked: ReadonlyMap<string, string>;

  beforeAll(async () => {
    await api.finalView(await api.notify('good'));
    await server.stop();
    const before = await openEvents(folder.path);
    keys = await appendBadRecords(before);
    await before.close();

    await start();
    const parkings = [...keys.keys()].reduce((sum, input) => sum + consumersIn(documented.get(input)), 0);
    await eventually(async () => (server.output.split('"action":"park"').length > parkings ? true : undefined));
    await server.stop();

    const after = await openEvents(folder.path);
    parked = await readParked(after);
    await after.close();
    await start();
  });

  test.each(Object.keys(recordChecks))('%s', (input) => {
    expect(parked.get(keys.get(input)!) ?? 'nothing').toBe(documented.get(input));
  });

  test.each(Object.entries(followUpChecks))('%s', async (input, check) => {
    expect(await check(api, (bad) => keys.get(bad)!)).toBe(documented.get(input));
  });

  test('everything else goes on', async () => {
    const ready = await api.request('GET', '/health/ready');
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({ checks: { consumers: { status: 'up' }, store: { status: 'up' } } });
    expect((await api.finalView(await api.notify('good'))).status).toBe('sent');
    const deliverAt = new Date(Date.now() + 300).toISOString();
    expect((await api.finalView(await api.notify('good', { deliverAt }))).status).toBe('sent');
  });
});
