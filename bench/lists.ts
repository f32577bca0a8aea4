import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newId, streamName } from '#libs/kernel';
import { notificationViews, openNotificationIndex, type NotificationView } from '#libs/notification';
import { recipientOwner, severities } from '#libs/recipient';
import type { EventStore } from '#libs/store/port';
import { openSqliteStore } from '#libs/store/sqlite';
import { SqliteKeyStore, Vault } from '#libs/vault';
import { createLog } from '../apps/server/log.js';
import { startServer } from '../apps/server/server.js';
import { readSettings } from '../apps/server/settings/index.js';
import { quantile, table } from './report.js';

const recipients = 1_000;
const appendsAtOnce = 500;
const requests = 300;
/** Milliseconds between two notifications. */
const apart = 1_000;

/** The final view of a mail that was sent; of every hundredth, one that failed. */
async function viewOf(vault: Vault, number: number, start: number): Promise<NotificationView> {
  const at = start + number * apart;
  const time = new Date(at).toISOString();
  const recipientId = `user-${number % recipients}`;
  const owner = recipientOwner(recipientId);
  const failed = number % 100 === 0;
  const operation = {
    id: newId(at),
    type: 'SendEmail',
    status: failed ? 'failed' : 'succeeded',
    to: await vault.sealFor(owner, 'address', `${recipientId}@example.com`),
    attempts: 1,
    error: null,
    inDoubt: false,
    at: time,
    message: null,
    late: false,
  } as const;
  return {
    id: newId(at),
    recipientId,
    category: ['billing', 'orders', 'security'][number % 3]!,
    severity: severities[number % severities.length]!,
    subject: await vault.sealFor(owner, 'subject', `Invoice ${number}`),
    status: failed ? 'failed' : 'sent',
    reason: failed ? 'couldNotSend' : null,
    decision: null,
    requestedAt: time,
    completedAt: time,
    deliverAt: null,
    channels: { email: { status: failed ? 'failed' : 'sent', operations: [operation] } },
    about: null,
    tags: { invoice: String(number) },
    sandbox: false,
    broadcastId: null,
    escalation: null,
    revision: 2,
    position: String(number + 1),
  };
}

/** Writes the views as the projector would, without the records behind them; answers one id of each hundred. */
async function fill(store: EventStore, vault: Vault, total: number): Promise<readonly string[]> {
  const start = Date.parse('2026-01-01T00:00:00Z');
  const ids: string[] = [];
  for (let first = 0; first < total; first += appendsAtOnce) {
    const numbers = Array.from({ length: Math.min(appendsAtOnce, total - first) }, (_, index) => first + index);
    const views = await Promise.all(numbers.map((number) => viewOf(vault, number, start)));
    ids.push(...views.filter((_, index) => index % 100 === 0).map(({ id }) => id));
    await store.appendAll(
      views.map((view) => ({
        stream: streamName(notificationViews, view.id, 1),
        expected: 'noStream' as const,
        events: [{ id: newId(), type: 'notification.view.v1', data: view, metadata: { $correlationId: view.id } }],
      })),
    );
  }
  return ids;
}

/** Seconds that an index takes to be made, and its bytes. */
async function build(directory: string, store: EventStore, vault: Vault): Promise<{ seconds: number; bytes: number }> {
  const log = { rebuilding: () => undefined, failed: () => undefined };
  const started = performance.now();
  const { index } = await openNotificationIndex({ directory, store, vault, log });
  while ((await index.status()).state !== 'live') await new Promise(setImmediate);
  const seconds = (performance.now() - started) / 1000;
  await index.close();
  const { size } = await stat(join(directory, 'query-index', '2.1.db'));
  return { seconds, bytes: size };
}

/** Milliseconds of each of many requests, one after the other. */
async function timed(url: string, pathOf: (number: number) => string): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let number = 0; number < requests; number += 1) {
    const started = performance.now();
    const answer = await fetch(url + pathOf(number));
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${answer.status} for ${pathOf(number)}`);
    taken.push(performance.now() - started);
  }
  return taken;
}

/** Lists, searches and details over HTTP: `npm run bench -- lists`, with 100,000 notifications unless NOTIFICATIONS says otherwise. */
export async function runListsBench(total = Number(process.env['NOTIFICATIONS'] ?? 100_000)): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidings-bench-'));
  try {
    const store = await openSqliteStore({ directory });
    const vault = new Vault(await SqliteKeyStore.open(directory));
    const ids = await fill(store, vault, total);
    const { seconds, bytes } = await build(directory, store, vault);
    await vault.close();
    await store.close();

    const env = { PORT: '0', TIDINGS_DATA_DIR: directory, TIDINGS_ROLES: 'api' };
    const reading = readSettings(env, [], directory);
    if (!('settings' in reading)) throw new Error('error' in reading ? reading.error : reading.output);
    const server = await startServer(reading.settings, createLog('warn'));
    // The index is open before it has caught up with what this start has written.
    while ((await fetch(`${server.url}/v1/notifications?limit=1`)).status === 503) await delay(50);
    const rows: (string | number)[][] = [];
    const measure = async (name: string, pathOf: (number: number) => string): Promise<void> => {
      const taken = await timed(server.url, pathOf);
      rows.push([name, quantile(taken, 0.5), quantile(taken, 0.99)]);
    };
    const user = (number: number): string => `user-${(number * 7) % recipients}`;
    const time = (number: number): string => `2026-01-0${1 + (number % 2)}T0${number % 10}:00:00Z`;
    await measure('newest 50', () => '/v1/notifications');
    await measure('newest 200', () => '/v1/notifications?limit=200');
    await measure('of a recipient', (number) => `/v1/notifications?recipientId=${user(number)}`);
    await measure('to an address', (number) => `/v1/notifications?address=${user(number)}@example.com`);
    await measure('mails to an address', (number) => `/v1/emails?to=${user(number)}@example.com`);
    await measure('by a tag', (number) => `/v1/notifications?tag=invoice:${(number * 31) % total}`);
    await measure('failed', () => '/v1/notifications?status=failed');
    await measure('failed, of a category', () => '/v1/notifications?category=billing&status=failed');
    await measure('before a time', (number) => `/v1/notifications?to=${time(number)}`);
    await measure('detail', (number) => `/v1/notifications/${ids[number % ids.length]!}`);
    await server.drain();

    process.stdout.write(`\nLists of ${total} notifications over HTTP, ${requests} requests each, in ms\n`);
    process.stdout.write(`${table(['', 'p50', 'p99'], rows)}\n`);
    process.stdout.write(
      `\nThe query index\n${table(['views a second', 'bytes a notification'], [[total / seconds, bytes / total]])}\n`,
    );
  } finally {
    await rm(directory, { recursive: true });
  }
}
