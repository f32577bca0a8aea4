import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import type { ConsumerView } from '#libs/operator';
import { startFacade } from '#libs/store/facade';
import { openSqliteStore } from '#libs/store/sqlite';
import { SmtpDouble } from '#libs/testing';
import { Api, eventually, readStore, startServer, temporaryFolder } from '../support/index.js';
import { CrashingServer } from './support/crashing-server-process.js';
import { attemptsOf } from './support/cluster.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let smtp: SmtpDouble;

beforeEach(async () => {
  folder = await temporaryFolder();
  smtp = await SmtpDouble.start({ security: 'plain' });
});

afterEach(async () => {
  await smtp.close();
  await folder.remove();
});

async function consumersOf(api: Api): Promise<ConsumerView[]> {
  return (await api.request<{ items: ConsumerView[] }>('GET', '/v1/consumers')).body.items;
}

function sum(consumers: readonly ConsumerView[], count: 'retrying' | 'parked' | 'handled'): number {
  return consumers.reduce((all, consumer) => all + consumer[count], 0);
}

/** Three notifications are sent, one is tried again, and two consumers have parked what cannot be read; answers ids. */
async function shareTheStore(): Promise<readonly string[]> {
  const directory = join(folder.path, 'store');
  await mkdir(directory);
  const store = await openSqliteStore({ directory });
  const facade = await startFacade(store, { port: 0, writable: true, limits: { closing: 50 } });
  const server = await startServer(folder.path, {
    TIDINGS_EVENTSTORE_URL: `esdb://127.0.0.1:${facade.port}?tls=false`,
    TIDINGS_SMTP_URL: smtp.url,
    TIDINGS_PARTITIONS: '4',
  });
  try {
    const api = new Api(server.url);
    await api.putRecipient('ada', 'ada@example.com');
    const sent = await Promise.all([1, 2, 3].map(() => api.notify('ada')));
    for (const id of sent) expect(await api.finalView(id)).toMatchObject({ status: 'sent' });
    smtp.behave({ at: 'data', times: 1_000, reply: '451 4.3.0 try again later' });
    const waiting = await api.notify('ada');
    const broken = { id: newId(), type: 'email.send.v1', data: {}, metadata: { $correlationId: newId() } };
    await store.append('email.operation-broken', 'noStream', [broken]);
    await eventually(async () => {
      const consumers = await consumersOf(api);
      return (sum(consumers, 'retrying') > 0 && sum(consumers, 'parked') > 0) || undefined;
    });
    await server.stop();
    return [...sent, waiting];
  } finally {
    await server.kill();
    await facade.close();
    await store.close();
    // From now on the server has it to itself.
    await copyFile(join(directory, 'events.db'), join(folder.path, 'events.db'));
  }
}

test('a server that is killed while it adopts what several had shared has lost nothing, and does nothing twice', async () => {
  const ids = await shareTheStore();
  const before = await readStore(folder.path);
  const parked = before.filter(({ type }) => type === 'runtime.record-parked.v1').length;

  let deaths = 0;
  for (let server: CrashingServer | undefined; server === undefined; deaths += 1) {
    const moment = deaths % 2 === 0 ? 'before' : 'after';
    server = await CrashingServer.start(folder.path, smtp.url, {}, { moment, nth: 4 }).catch(() => undefined);
    server?.kill();
    await server?.died;
  }
  expect(deaths).toBeGreaterThan(4);

  const mails = smtp.mails.length;
  await smtp.close();
  smtp = await SmtpDouble.start({ security: 'plain' });
  const server = await startServer(folder.path, { TIDINGS_SMTP_URL: smtp.url });
  const api = new Api(server.url);
  try {
    for (const id of ids) expect(await api.finalView(id)).toMatchObject({ status: 'sent' });
    const consumers = await eventually(async () => {
      const all = await consumersOf(api);
      return all.every(({ lag }) => lag === 0) ? all : undefined;
    });
    expect({ parked: sum(consumers, 'parked'), retrying: sum(consumers, 'retrying') }).toEqual({ parked, retrying: 0 });
    await server.stop();
  } finally {
    await server.kill();
  }
  expect(mails).toBe(3);
  expect(smtp.mails).toHaveLength(1);
  const records = await readStore(folder.path);
  for (const id of ids.slice(0, 3)) expect(attemptsOf(records, id)).toEqual(['email.claimed.v1', 'email.sent.v1']);
}, 240_000);
