import { beforeAll, describe, expect, test } from '@jest/globals';
import { Api, eventually, useServer, withStore } from '../support/index.js';
import { accessChecks, ownerKey, writeKeys } from './bad-input/access-checks.js';
import { appendBadRecords, followUpChecks, readParked, recordChecks } from './bad-input/record-checks.js';
import { bounceChecks } from './bad-input/bounce-checks.js';
import { batchAndCancelChecks } from './bad-input/batch-and-cancel-checks.js';
import { listChecks } from './bad-input/list-checks.js';
import { requestChecks } from './bad-input/request-checks.js';
import { documentedRows } from './bad-input/table.js';

const documented = documentedRows();
const server = useServer({ smtp: true, settings: { TIDINGS_BLOB_LIMIT_MB: '1' }, start: false });
const api = new Api(server, ownerKey);

async function start(): Promise<void> {
  await server.start({ ...server.settings, TIDINGS_API_KEYS_FILE: await writeKeys(server.dataDir) });
}

/** How many of them park a record, as a row has it. */
function consumersIn(outcome: string | undefined): number {
  return /^parked by (.*):/.exec(outcome ?? '')?.[1]?.split(', ').length ?? 0;
}

beforeAll(async () => {
  await start();
  await api.putRecipient('good', 'good@example.com');
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
    keys = await withStore(server.dataDir, appendBadRecords);
    await start();
    const parkings = [...keys.keys()].reduce((sum, input) => sum + consumersIn(documented.get(input)), 0);
    await eventually(async () => (server.output.split('"action":"park"').length > parkings ? true : undefined));
    await server.stop();
    parked = await withStore(server.dataDir, readParked);
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
