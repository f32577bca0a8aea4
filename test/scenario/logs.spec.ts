import { beforeAll, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, streamName, type StreamDefinition } from '#libs/kernel';
import { emailOperations } from '#libs/channel/email';
import { slackOperations } from '#libs/channel/slack';
import { notificationClientOperations } from '#libs/notification';
import type { ParkedPage } from '#libs/operator';
import type { EventStore } from '#libs/store/port';
import { eventually, useServer, withStore } from '../support/index.js';

const canary = 'canary7e1f';
const address = `${canary}@example.com`;
const correlationId = newId();
const traceId = 'a'.repeat(32);
const traceparent = `00-${traceId}-${'b'.repeat(16)}-01`;

type Line = Readonly<Record<string, unknown>>;

const server = useServer({
  smtp: { security: 'tls', credentials: { user: `user-${canary}`, password: `password-${canary}` } },
  slack: { token: `xoxb-${canary}` },
  settings: {
    TIDINGS_LOG_LEVEL: 'debug',
    TIDINGS_SMTP_CA: 'ca.pem',
    // Nobody listens there.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${canary}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
  },
  start: false,
});
const { api } = server;
let lines: readonly Line[];

/** Puts records where they belong that do not fit their types, with what must not be told. */
async function addBrokenRecords(store: EventStore): Promise<void> {
  const broken: readonly (readonly [StreamDefinition, string])[] = [
    [notificationClientOperations, 'notification.send.v1'],
    [emailOperations, 'email.send.v1'],
    [emailOperations, 'email.send.v99'],
    [slackOperations, 'slack.send-message.v1'],
  ];
  for (const [stream, type] of broken) {
    const data = { recipientId: [canary], to: [{ address, name: canary }], content: canary };
    const event = { id: newId(), type, data, metadata: { $correlationId: correlationId, traceparent } };
    await store.append(streamName(stream, newId()), 'noStream', [event]);
  }
}

/** Good and bad requests, with what must not be told wherever somebody can write something. */
async function useEverything(): Promise<void> {
  const channels = { email: { address }, slack: { channel: `C${canary.toUpperCase()}` } };
  const preferences = { default: { channels: ['email', 'slack'] } };
  await api.putRecipient('ada', address, { displayName: canary, channels, preferences });
  server.smtp.behave({ at: 'data', times: 1, reply: `451 4.3.0 <${address}> try later` });
  server.smtp.behave({ at: 'recipient', recipient: address, times: 1, reply: `550 5.1.1 <${address}> is nobody` });
  server.slack.behave({ method: 'chat.postMessage', times: 1, reply: { status: 500, body: `${canary} is broken` } });
  const attachments = [
    { fileName: `${canary}.txt`, mediaType: 'text/plain', content: Buffer.from(canary).toString('base64') },
  ];
  const content = { subject: canary, text: canary, html: `<p>${canary}</p>`, attachments };
  const more = { content, tags: { invoice: canary } };
  for (let times = 0; times < 2; times += 1) await api.finalView(await api.notify('ada', more, { traceparent }));
  const refused = [
    await api.request('POST', '/v1/notifications', { recipientId: 'ada', content, [canary]: canary }),
    await api.request('POST', '/v1/notifications', `{"${canary}`, { 'content-type': 'application/json' }),
    await api.request('PUT', `/v1/recipients/${address}`, { channels: { email: { address: `${canary} ` } } }),
    await api.request('GET', `/v1/notifications?address=${address}&${canary}=1`),
    await api.request('GET', `/v1/notifications/${canary}`),
    await api.request('GET', `/${canary}?to=${address}`),
    await api.request('POST', '/v1/notifications', { recipientId: 'ada' }, { 'idempotency-key': canary.repeat(100) }),
  ];
  expect(refused.every(({ status }) => status >= 400 && status < 500)).toBe(true);
  await api.request('GET', `/v1/emails?to=${address}`);
  await api.request('DELETE', '/v1/recipients/ada');
}

beforeAll(async () => {
  await withStore(server.dataDir, addBrokenRecords);
  await writeFile(join(server.dataDir, 'ca.pem'), server.smtp.ca);
  await server.start();
  await useEverything();
  await eventually(async () => {
    const { items } = (await api.request<ParkedPage>('GET', '/v1/parked')).body;
    return items.length >= 4 && server.output.includes('traces cannot be sent') ? true : undefined;
  });
  await server.stop();
  lines = server.output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
});

const messages = (text: string) => lines.filter(({ msg }) => msg === text);

test('an entry is one line of JSON, with a time and a level; what is no entry is what the start and the end say', () => {
  const others = server.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  expect(others.filter((line) => !/^(tidings| {2}(API|see|store|data|mail|slack|roles) )/.test(line))).toEqual([]);
  for (const line of lines) {
    expect(line).toMatchObject({ time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), level: expect.any(Number) });
  }
});

test('what is said of a record names its flow and its trace', () => {
  const failures = messages('a record failed');
  expect(failures.length).toBeGreaterThanOrEqual(4);
  for (const failure of failures) {
    expect(failure).toMatchObject({ correlationId, traceId, consumer: expect.any(String), record: expect.any(String) });
  }
});

test('what is said of a request names it by its id and its route, and the trace where it has one', () => {
  const requests = messages('a request was answered');
  expect(requests.length).toBeGreaterThan(10);
  for (const request of requests) {
    expect(request).toMatchObject({ requestId: expect.stringMatching(/^[0-9a-f-]{36}$/), status: expect.any(Number) });
  }
  const posts = requests.filter(({ method, status }) => method === 'POST' && status === 202);
  expect(posts.map((post) => post['traceId'])).toEqual([traceId, traceId]);
  expect(posts.map(({ route }) => route)).toEqual(['/v1/notifications', '/v1/notifications']);
});

test('nothing that somebody wrote and no secret is in it, at the level that says the most', () => {
  expect(server.output.split('\n').filter((line) => line.toLowerCase().includes(canary))).toEqual([]);
});
