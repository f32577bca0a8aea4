import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { NotificationView } from '#libs/notification';
import { startFacade, type Facade } from '#libs/store/facade';
import { openSqliteStore, type SqliteEventStore } from '#libs/store/sqlite';
import { SmtpDouble } from '#libs/testing';
import { Api, eventually, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';

let eventFolder: Awaited<ReturnType<typeof temporaryFolder>>;
let dataFolder: Awaited<ReturnType<typeof temporaryFolder>>;
let smtp: SmtpDouble;
/** The events: behind the facade, in the process of the test. */
let events: SqliteEventStore;
let facade: Facade;
let server: ServerProcess | undefined;
let api: Api;

beforeEach(async () => {
  [eventFolder, dataFolder, smtp] = await Promise.all([
    temporaryFolder(),
    temporaryFolder(),
    SmtpDouble.start({ security: 'plain' }),
  ]);
  events = await openSqliteStore({ directory: eventFolder.path });
  await serve(0);
});

afterEach(async () => {
  await server?.kill();
  server = undefined;
  await facade.close();
  await events.close();
  await smtp.close();
  await Promise.all([eventFolder.remove(), dataFolder.remove()]);
});

async function serve(port: number): Promise<void> {
  facade = await startFacade(events, { port, writable: true, limits: { closing: 50 } });
}

async function start(): Promise<void> {
  server = await startServer(dataFolder.path, {
    TIDINGS_EVENTSTORE_URL: `esdb://127.0.0.1:${facade.port}?tls=false`,
    TIDINGS_SMTP_URL: smtp.url,
  });
  api = new Api(server.url);
}

async function readiness(): Promise<{ status: number; checks: Record<string, { status: string; detail?: string }> }> {
  const { status, body } = await api.request<{ checks: Record<string, { status: string; detail?: string }> }>(
    'GET',
    '/health/ready',
  );
  return { status, checks: body.checks };
}

async function isReady(): Promise<true | undefined> {
  return (await readiness()).status === 200 || undefined;
}

test('a notification is sent, stands in the server, and is there after a restart', async () => {
  await start();
  expect(server!.output).toContain(`store EventStoreDB 127.0.0.1:${facade.port}`);
  await api.putRecipient('ada', 'ada@example.com');
  const id = await api.notify('ada');
  expect((await api.finalView(id)).status).toBe('sent');
  expect(smtp.mails).toHaveLength(1);
  const types = (await api.events(id)).map(({ type }) => type);
  expect(types).toEqual(expect.arrayContaining(['notification.send.v1', 'email.sent.v1', 'notification.sent.v1']));

  const stored: string[] = [];
  for await (const { stream, type } of events.readAll({ filter: { categories: ['notification.event'] } })) {
    expect(stream).toBe(`notification.event-${id}`);
    stored.push(type);
  }
  expect(stored.at(-1)).toBe('notification.sent.v1');

  await server!.stop();
  await start();
  expect(await api.view(id)).toMatchObject({ status: 'sent' });
  const list = await eventually(async () => {
    const { status, body } = await api.request<{ items: { id: string }[] }>('GET', '/v1/notifications');
    return status === 200 && body.items.length > 0 ? body.items : undefined;
  });
  expect(list.map((item) => item.id)).toEqual([id]);
  expect((await api.finalView(await api.notify('ada'))).status).toBe('sent');
  expect(smtp.mails).toHaveLength(2);
});

test('what is accepted before the server of the events goes away is sent once when it is back', async () => {
  await start();
  await api.putRecipient('ada', 'ada@example.com');
  const ids = await Promise.all(Array.from({ length: 20 }, () => api.notify('ada')));
  const { port } = facade;
  await facade.close();

  const refused = await api.request('POST', '/v1/notifications', {
    recipientId: 'ada',
    content: { subject: 'Hello', text: 'Nobody keeps this.' },
  });
  expect(refused.status).toBe(503);
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
  expect((await readiness()).checks['store']).toMatchObject({ status: 'down' });
  expect((await api.request('GET', '/health/live')).status).toBe(200);

  await serve(port);
  await eventually(isReady);
  for (const id of ids) expect((await api.finalView(id)).status).toBe('sent');
  expect(smtp.mails).toHaveLength(ids.length);
  expect(server!.output).toContain('the event store does not answer');
  expect(server!.output).toContain('the event store answers');
});

test('without the server of the events it starts, says what is missing, and works once it is there', async () => {
  const { port } = facade;
  await facade.close();
  await start();
  const { status, checks } = await readiness();
  expect(status).toBe(503);
  expect(checks['store']).toMatchObject({ status: 'down', detail: expect.stringContaining('EventStoreDB at') });
  const waiting = { status: 'down', detail: 'waiting for the store' };
  expect(checks).toMatchObject({ consumers: waiting, queryIndex: waiting });
  const answer = await api.request<NotificationView>('GET', '/v1/notifications/0197a000-0000-7000-8000-000000000000');
  expect(answer.status).toBe(503);

  await serve(port);
  await eventually(isReady);
  await api.putRecipient('ada', 'ada@example.com');
  expect((await api.finalView(await api.notify('ada'))).status).toBe('sent');
  const told = server!.output.split('\n').filter((line) => line.includes('the query index cannot go on'));
  const reasons = told.map((line) => (JSON.parse(line) as { error: string }).error);
  for (const [index, reason] of reasons.entries()) expect(reason).not.toBe(reasons[index - 1]);
});

test('where nothing but silence comes from the server of the events it starts, answers, and works once that speaks', async () => {
  const { port } = facade;
  await facade.close();
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket)).listen(port, '127.0.0.1');
  await once(silent, 'listening');
  await start();
  expect((await api.request('GET', '/health/live')).status).toBe(200);
  const { status, checks } = await readiness();
  expect(status).toBe(503);
  expect(checks['store']).toMatchObject({ status: 'down', detail: expect.stringContaining('EventStoreDB at') });
  expect((await api.request('GET', '/v1/recipients/ada')).status).toBe(503);

  for (const socket of sockets) socket.destroy();
  silent.close();
  await once(silent, 'close');
  await serve(port);
  await eventually(isReady);
  await api.putRecipient('ada', 'ada@example.com');
  expect((await api.finalView(await api.notify('ada'))).status).toBe('sent');
});

test('without the server of the events every route answers at once, with a problem where it cannot do without', async () => {
  await facade.close();
  await start();
  const { body: document } = await api.request<{ paths: Record<string, Record<string, unknown>> }>(
    'GET',
    '/openapi.json',
  );
  const methods = ['get', 'post', 'put', 'delete'];
  const problems: string[] = [];
  const refused: string[] = [];
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of methods.filter((one) => one in operations)) {
      const url = server!.url + path.replace(/\{[^}]*\}/g, '0197a000-0000-7000-8000-000000000000');
      const name = `${method.toUpperCase()} ${path}`;
      const hasBody = method === 'post' || method === 'put';
      const request = { method, ...(hasBody && { body: '{}', headers: { 'content-type': 'application/json' } }) };
      const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      const type = answer?.headers.get('content-type') ?? '';
      await answer?.body?.cancel();
      const isProblem = type.startsWith('application/problem+json') || path.startsWith('/health/');
      if (answer?.status === 503 && isProblem) refused.push(name);
      else if (answer === undefined || answer.status >= 500 || (answer.status >= 400 && !isProblem))
        problems.push(`${name}: ${answer === undefined ? 'no answer' : `${answer.status} ${type}`}`);
    }
  }
  expect(problems).toEqual([]);
  expect(refused).toEqual(
    expect.arrayContaining(['GET /v1/notifications', 'GET /v1/recipients/{id}', 'POST /v1/blobs', 'GET /health/ready']),
  );
}, 60_000);

test('a view is built anew beside the one that serves, and the streams of that are removed', async () => {
  await start();
  await eventually(isReady);
  await api.putRecipient('ada', 'ada@example.com');
  const id = await api.notify('ada');
  const before = await api.finalView(id);
  await eventually(async () => {
    const { body } = await api.request<{ state: string }>('GET', '/v1/views/notification.view');
    return body.state === 'serving' || undefined;
  });
  expect((await api.request('POST', '/v1/views/notification.view:rebuild')).status).toBe(202);
  await eventually(async () => {
    const { body } = await api.request<{ version: number }>('GET', '/v1/views/notification.view');
    return body.version >= 2 || undefined;
  });
  expect(await api.view(id)).toEqual(before);
  const later = await api.notify('ada');
  expect((await api.finalView(later)).status).toBe('sent');
  await eventually(async () => {
    const found = new Set<string>();
    for await (const { stream, type } of events.readAll({
      filter: { types: ['$streamDeleted', 'notification.view.v1'] },
    }))
      found.add(`${type} ${stream}`);
    return found.has(`$streamDeleted notification.view.1-${id}`) || undefined;
  });
}, 60_000);
