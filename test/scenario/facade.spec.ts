import { afterEach, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AccessDeniedError,
  EventStoreDBClient,
  jsonEvent,
  streamNameFilter,
  UnavailableError,
  type AllStreamResolvedEvent,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { testOnlyCertificate, testOnlyKey } from '#libs/testing';
import { eventually, runServer, temporaryFolder, useServer } from '../support/index.js';

const address = 'ada-canary@example.com';

let client: EventStoreDBClient | undefined;

afterEach(() => client?.dispose());

const server = useServer({ perTest: true, start: false });
const { api } = server;

/** Starts the server and answers the URL that it gives for EventStoreDB's clients. */
async function start(env: Record<string, string> = {}): Promise<string> {
  await server.start({ TIDINGS_FACADE: '127.0.0.1:0', ...env });
  await api.putRecipient('ada', address);
  return /^ {2}esdb +(esdb:\S+), to read$/m.exec(server.output)![1]!;
}

async function collect(items: AsyncIterable<ResolvedEvent | AllStreamResolvedEvent>) {
  const events: NonNullable<ResolvedEvent['event']>[] = [];
  for await (const { event } of items) events.push(event!);
  return events;
}

test('the records of a notification, read and followed by the client of EventStoreDB', async () => {
  client = EventStoreDBClient.connectionString(await start());
  const categories = client.subscribeToStream('$ce-notification.event', { resolveLinkTos: true });
  const mails = client.subscribeToAll({ filter: streamNameFilter({ regex: '^email\\.(operation|event)-' }) });
  const id = await api.notify('ada', { tags: { order: '7' } });
  expect((await api.finalView(id)).status).toBe('sent');
  const items = await api.events(id);

  const stream = `notification.event-${id}`;
  const own = items.filter((item) => item.stream === stream);
  const read = await collect(client.readStream(stream));
  expect(read.map((event) => [event.id, event.type, Number(event.revision), event.created.toISOString()])).toEqual(
    own.map((item) => [item.id, item.type, item.revision, item.occurredAt]),
  );
  expect(read.map(({ metadata }) => metadata)).toEqual(
    own.map(({ causationId }) => expect.objectContaining({ $correlationId: id, $causationId: causationId })),
  );
  expect(read[0]!.data).toMatchObject({ tags: { order: '7' } });

  const ids = read.map((event) => event.id);
  for await (const { event, link } of categories) {
    expect([event!.streamId, event!.id, link!.streamId]).toEqual([stream, ids.shift(), '$ce-notification.event']);
    if (ids.length === 0) break;
  }
  const mailIds = items.filter((item) => item.stream.startsWith('email.')).map((item) => item.id);
  expect(mailIds.length).toBeGreaterThan(2);
  for await (const { event } of mails) {
    expect(event!.id).toBe(mailIds.shift());
    if (mailIds.length === 0) break;
  }

  const flow = await collect(client.readStream(`$bc-${id}`, { resolveLinkTos: true }));
  expect(flow.map((event) => event.id)).toEqual(expect.arrayContaining(items.map((item) => item.id)));
  expect(flow.every(({ metadata }) => (metadata as { $correlationId: string }).$correlationId === id)).toBe(true);

  const all = await collect(client.readAll());
  expect(all.map((event) => event.id)).toEqual(expect.arrayContaining(flow.map((event) => event.id)));
  expect(JSON.stringify(all, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
    address,
  );
});

test('writing is denied, and stopping ends subscriptions', async () => {
  client = EventStoreDBClient.connectionString(await start());
  const event = jsonEvent({ type: 'notification.sent.v1', data: {} });
  await expect(client.appendToStream('notification.event-1', event)).rejects.toThrow(AccessDeniedError);
  await expect(client.tombstoneStream('notification.event-1')).rejects.toThrow(AccessDeniedError);

  const subscription = client.subscribeToAll();
  const ended = new Promise((resolve) => subscription.on('error', resolve));
  await new Promise((resolve) => subscription.once('data', resolve));
  await server.stop();
  expect(await ended).toBeInstanceOf(UnavailableError);
});

test('over TLS, for those who have the password', async () => {
  const cert = join(server.dataDir, 'cert.pem');
  await writeFile(cert, testOnlyCertificate);
  await writeFile(join(server.dataDir, 'key.pem'), testOnlyKey);
  const password = 'password:canary';
  const url = await start({
    TIDINGS_FACADE_TLS_CERT: 'cert.pem',
    TIDINGS_FACADE_TLS_KEY: 'key.pem',
    TIDINGS_FACADE_USER: 'auditor',
    TIDINGS_FACADE_PASSWORD: password,
  });
  const connect = (login: string) =>
    EventStoreDBClient.connectionString(
      `${url.replace('//127.0.0.1', `//${login}localhost`)}?tlsCAFile=${encodeURIComponent(cert)}`,
    );
  client = connect(`auditor:${encodeURIComponent(password)}@`);
  expect((await collect(client.readAll())).length).toBeGreaterThan(0);
  const stranger = connect('auditor:wrong@');
  await expect(collect(stranger.readAll())).rejects.toThrow(AccessDeniedError);
  await stranger.dispose();
  await server.stop();
  expect(server.output).not.toContain(password);
});

test('beyond this machine it does not start without TLS and a user', async () => {
  const { code, stderr } = await runServer(server.dataDir, [], { TIDINGS_FACADE: '0.0.0.0:2113' });
  expect([code, stderr]).toEqual([
    78,
    'tidings: TIDINGS_FACADE must be a loopback address unless there are a certificate and a user\n',
  ]);
});

test('a port that is in use stops the start with one line that says whose', async () => {
  const url = await start();
  const other = await temporaryFolder();
  try {
    const { code, stderr } = await runServer(other.path, [], { TIDINGS_FACADE: new URL(url).host });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tidings: the facade cannot be started \(TIDINGS_FACADE\): .*EADDRINUSE.*\n$/m);
  } finally {
    await other.remove();
  }
});

/** The processes that the server has started. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

test('a facade that dies comes back to its port, and the server has not noticed', async () => {
  const url = await start();
  client = EventStoreDBClient.connectionString(url);
  await collect(client.readAll({ maxCount: 1 }));
  const [child] = await childrenOf(server.pid);
  process.kill(child!, 'SIGKILL');
  const id = await api.notify('ada');
  expect((await api.finalView(id)).status).toBe('sent');
  const read = () => collect(client!.readStream(`notification.event-${id}`)).catch(() => undefined);
  expect((await eventually(read)).map(({ type }) => type)).toContain('notification.sent.v1');
});

test('the facade ends with its server, however that ends', async () => {
  await start();
  const [child] = await childrenOf(server.pid);
  await server.kill();
  const isGone = () => {
    try {
      return void process.kill(child!, 0);
    } catch {
      return true as const;
    }
  };
  expect(await eventually(async () => isGone() || undefined)).toBe(true);
});
