import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import type { NotificationView } from '#libs/notification';
import type { ConsumerView } from '#libs/operator';
import { startFacade, type Facade } from '#libs/store/facade';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';
import { SmtpDouble } from '#libs/testing';
import { Api, eventually, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';
import { tidings } from './tidings.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let events: SqliteEventStore;
let facade: Facade;
let server: ServerProcess | undefined;
let smtp: SmtpDouble;
const inFolder = (...path: string[]) => join(folder.path, ...path);
const url = () => `esdb://127.0.0.1:${facade.port}?tls=false`;

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const name of ['data', 'server', 'back']) await mkdir(inFolder(name));
  smtp = await SmtpDouble.start({ security: 'plain' });
  events = await openSqliteStore({ directory: inFolder('server') });
  // What stands there already makes every position another one.
  const others = Array.from({ length: 50 }, () => ({ id: newId(), type: 'other.told.v1', data: {} }));
  await events.append('other.event-1', 'noStream', others);
  facade = await startFacade(events, { port: 0, writable: true, limits: { closing: 50 } });
});

afterEach(async () => {
  await server?.kill();
  server = undefined;
  await facade.close();
  await events.close();
  await smtp.close();
  await folder.remove();
});

async function start(data: string, env: Readonly<Record<string, string>> = {}): Promise<Api> {
  server = await startServer(inFolder(data), { TIDINGS_SMTP_URL: smtp.url, ...env });
  return new Api(server.url);
}

const migrate = (...args: string[]) => tidings(['migrate', ...args]);

async function ended(api: Api, id: string): Promise<NotificationView> {
  const { body } = await api.request<NotificationView>('GET', `/v1/notifications/${id}?wait=30`);
  return body;
}

async function listed(api: Api): Promise<string[]> {
  return eventually(async () => {
    const { status, body } = await api.request<{ items: NotificationView[] }>('GET', '/v1/notifications');
    return status === 200 ? body.items.map(({ id }) => id).sort() : undefined;
  });
}

test('a server goes on with EventStoreDB where it was with the embedded store, and back again', async () => {
  let api = await start('data');
  await api.putRecipient('ada', 'ada@example.com');
  const sent = await api.notify('ada', { content: { subject: 'sent', text: 'before' } });
  expect((await ended(api, sent)).status).toBe('sent');
  smtp.behave({ at: 'recipient', wait: new Promise(() => undefined), times: 1_000 });
  const waiting = await api.notify('ada', { content: { subject: 'waiting', text: 'in between' } });
  await eventually(async () => {
    const { body } = await api.request<NotificationView>('GET', `/v1/notifications/${waiting}`);
    return body.channels?.['email']?.operations[0]?.attempts || undefined;
  });
  await server!.kill();
  await smtp.close();
  smtp = await SmtpDouble.start({ security: 'plain' });

  const there = await migrate('--from', inFolder('data'), '--to', url(), '--into-filled', '--json');
  expect({ code: there.code, stderr: there.stderr }).toEqual({ code: 0, stderr: expect.any(String) });
  const { records } = JSON.parse(there.stdout) as { records: number };

  api = await start('data', { TIDINGS_EVENTSTORE_URL: url() });
  expect((await ended(api, sent)).status).toBe('sent');
  expect((await ended(api, waiting)).status).toBe('sent');
  expect(smtp.mails.map(({ parsed }) => parsed.subject)).toEqual(['waiting']);
  expect(await listed(api)).toEqual([sent, waiting].sort());
  await server!.stop();

  // What was not copied has to be told of as such: it is no part of Tidings.
  const back = await migrate('--from', url(), '--to', inFolder('back'), '--json');
  expect({ code: back.code, stderr: back.stderr }).toEqual({ code: 0, stderr: expect.any(String) });
  expect((JSON.parse(back.stdout) as { records: number }).records).toBeGreaterThan(records);
  await cp(inFolder('data', 'keys.db'), inFolder('back', 'keys.db'));
  api = await start('back');
  expect((await ended(api, waiting)).status).toBe('sent');
  const passed = await eventually(async () => {
    const { body } = await api.request<{ items: ConsumerView[] }>('GET', '/v1/consumers');
    return body.items.every(({ lag }) => lag === 0) ? body.items : undefined;
  });
  // Nothing was handled again.
  expect(passed.filter((one) => one.handled > 0).map(({ name }) => name)).toEqual([]);
  expect(await listed(api)).toEqual([sent, waiting].sort());
  const later = await api.notify('ada', { content: { subject: 'later', text: 'after' } });
  expect((await ended(api, later)).status).toBe('sent');
  expect(smtp.mails.map(({ parsed }) => parsed.subject)).toEqual(['waiting', 'later']);
}, 120_000);

test('a target that is not empty is refused', async () => {
  await (await openSqliteStore({ directory: inFolder('data') })).close();
  const { code, stderr } = await migrate('--from', inFolder('data'), '--to', url());
  expect({ code, stderr }).toEqual({
    code: 4,
    stderr: 'tidings: the target is not empty: other.event-1 stands in it\n',
  });
});

test('a server that runs on the source keeps its store to itself', async () => {
  await start('data');
  const { code, stderr } = await migrate('--from', inFolder('data'), '--to', inFolder('back'));
  expect(code).toBe(7);
  expect(stderr).toContain('is in use by process');
});

test('what is no store is told in one line', async () => {
  const places: readonly (readonly [string, number, string])[] = [
    [inFolder('nothing'), 2, 'is no data directory'],
    ['esdb://', 2, '--from must be like esdb://'],
    ['env:TIDINGS_NOWHERE', 2, 'the variable TIDINGS_NOWHERE is not set'],
    ['esdb://127.0.0.1:9?tls=false', 3, 'EventStoreDB 127.0.0.1:9'],
  ];
  for (const [from, exit, message] of places) {
    const { code, stderr } = await migrate('--from', from, '--to', inFolder('back'));
    expect({ from, code, stderr }).toEqual({ from, code: exit, stderr: expect.stringContaining(message) });
  }
});
