import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CollectorDouble, type ReceivedSpan } from '#libs/testing';
import {
  Api,
  eventually,
  startServer,
  temporaryFolder,
  useServer,
  type Environment,
  type ServerProcess,
} from '../support/index.js';

const clientSpan = 'b'.repeat(16);

let collector: CollectorDouble;
const server = useServer({ smtp: true, slack: true, start: false });
const { api } = server;

const settings = (): Environment => ({
  ...server.settings,
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=key%20canary',
  OTEL_BSP_SCHEDULE_DELAY: '50',
});

beforeAll(async () => {
  collector = await CollectorDouble.start();
  await server.start({
    ...settings(),
    OTEL_SERVICE_NAME: 'tidings-test',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  });
  await putRecipient(api, 'grace');
});

afterAll(() => collector?.close());

/** A recipient who is told by mail and in Slack. */
async function putRecipient(at: Api, id: string): Promise<void> {
  await at.putRecipient(id, `${id}@example.com`, {
    channels: { email: { address: `${id}@example.com` }, slack: { channel: `C${id.toUpperCase()}` } },
    preferences: { default: { channels: ['email', 'slack'] } },
  });
}

const inTrace = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);

/** The spans of a trace, once all the work for the notification has come. */
function completeTrace(traceId: string): Promise<readonly ReceivedSpan[]> {
  return eventually(async () => {
    const spans = inTrace(traceId);
    const ids = [undefined, clientSpan, ...spans.map(({ spanId }) => spanId)];
    const isWhole = spans.every(({ parentSpanId }) => ids.includes(parentSpanId));
    const hasEnd = spans.some(({ name }) => name === 'notification.view-projector notification.sent.v1');
    return isWhole && hasEnd ? spans : undefined;
  });
}

/** Which span is below which, by their names, each once. */
function tree(spans: readonly ReceivedSpan[]): string[] {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  const nameOf = (id: string | undefined) => (id === clientSpan ? 'the client' : (names.get(id ?? '') ?? id));
  return [...new Set(spans.map(({ name, parentSpanId }) => `${nameOf(parentSpanId)} > ${name}`))].sort();
}

const traceparentOf = (traceId: string, flags = '01') => ({ traceparent: `00-${traceId}-${clientSpan}-${flags}` });

describe('a notification by mail and in Slack', () => {
  const traceId = 'a'.repeat(32);
  let spans: readonly ReceivedSpan[];

  beforeAll(async () => {
    server.smtp.behave({ at: 'data', recipient: 'grace@example.com', times: 1, reply: '451 4.3.0 try later' });
    await api.finalView(await api.notify('grace', {}, traceparentOf(traceId)));
    spans = await completeTrace(traceId);
  });

  const called = (name: string) => spans.filter((span) => span.name === name);

  test('is one tree, from the request to the mail server and to Slack', () => {
    expect(tree(spans)).toEqual([
      'POST /v1/notifications > notification.send-bot notification.send.v1',
      'email attempt > SMTP',
      'email.send-bot email.send.v1 > email attempt',
      'email.send-bot email.send.v1 > notification.delivery-saga-handler email.sent.v1',
      'email.send-bot email.send.v1 > notification.view-projector email.attempt-failed.v1',
      'email.send-bot email.send.v1 > notification.view-projector email.claimed.v1',
      'email.send-bot email.send.v1 > notification.view-projector email.sent.v1',
      'notification.delivery-saga-handler email.sent.v1 > notification.view-projector notification.sent.v1',
      'notification.fan-out-bot notification.prepared.v1 > email.send-bot email.send.v1',
      'notification.fan-out-bot notification.prepared.v1 > notification.delivery-saga-handler notification.delivery-started.v1',
      'notification.fan-out-bot notification.prepared.v1 > slack.send-bot slack.send-message.v1',
      'notification.send-bot notification.send.v1 > notification.fan-out-bot notification.prepared.v1',
      'notification.send-bot notification.send.v1 > notification.view-projector notification.prepared.v1',
      'notification.send-bot notification.send.v1 > notification.view-projector notification.requested.v1',
      'slack attempt > POST chat.postMessage',
      'slack.send-bot slack.send-message.v1 > notification.view-projector slack.claimed.v1',
      'slack.send-bot slack.send-message.v1 > notification.view-projector slack.sent.v1',
      'slack.send-bot slack.send-message.v1 > slack attempt',
      'the client > POST /v1/notifications',
    ]);
  });

  test('shows the request by its route', () => {
    expect(called('POST /v1/notifications')).toMatchObject([
      {
        kind: 'SERVER',
        failed: false,
        attributes: {
          'http.request.method': 'POST',
          'http.route': '/v1/notifications',
          'http.response.status_code': 202,
        },
        resource: { 'service.name': 'tidings-test', 'deployment.environment.name': 'test' },
      },
    ]);
  });

  test('shows each attempt, and what the mail server said', () => {
    const outcomes = called('email attempt').map(({ failed, attributes }) => [
      attributes['tidings.attempt'],
      attributes['tidings.outcome'],
      failed,
    ]);
    expect(outcomes).toEqual([
      [1, 'failedForNow', true],
      [2, 'succeeded', false],
    ]);
    const { port } = new URL(server.smtp.url);
    expect(called('SMTP')).toMatchObject([
      {
        kind: 'CLIENT',
        failed: true,
        attributes: { 'server.address': '127.0.0.1', 'server.port': Number(port), 'error.type': '451' },
      },
      { kind: 'CLIENT', failed: false },
    ]);
    expect(called('email.send-bot email.send.v1').map(({ failed }) => failed)).toEqual([false, false]);
  });

  test('is handed on to Slack', () => {
    const [call] = called('POST chat.postMessage');
    expect(server.slack.calls.map(({ headers }) => headers['traceparent'])).toEqual([
      `00-${traceId}-${call!.spanId}-01`,
    ]);
  });

  test('shows what was written', () => {
    const eventsOf = (name: string) => called(name)[0]!.events;
    const append = { name: 'append', attributes: { 'tidings.record.types': expect.anything() } };
    expect(eventsOf('POST /v1/notifications')).toEqual([append]);
    expect(eventsOf('notification.send-bot notification.send.v1')).toEqual([append]);
  });
});

test('a request without a traceparent begins a trace; one that only looks does not', async () => {
  const before = collector.spans.length;
  const id = await api.notify('grace');
  await api.finalView(id);
  const [first] = await api.events(id);
  const [, traceId] = String(first!.metadata['traceparent']).split('-');
  const spans = await completeTrace(traceId!);
  expect(spans.filter(({ parentSpanId }) => parentSpanId === undefined)).toMatchObject([
    { name: 'POST /v1/notifications' },
  ]);
  expect(tree(spans)).toContain('slack attempt > POST chat.postMessage');
  const roots = collector.spans.slice(before).filter(({ parentSpanId }) => parentSpanId === undefined);
  expect(roots.map(({ name }) => name)).toEqual(['POST /v1/notifications']);
});

test('a client that does not want its request sampled gets no spans, and its trace is handed on', async () => {
  const traceId = 'c'.repeat(32);
  const calls = server.slack.calls.length;
  await api.finalView(await api.notify('grace', {}, traceparentOf(traceId, '00')));
  // What is sent later comes later.
  await api.finalView(await api.notify('grace', {}, traceparentOf('d'.repeat(32))));
  await completeTrace('d'.repeat(32));
  expect(inTrace(traceId)).toEqual([]);
  expect(server.slack.calls[calls]!.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
});

test('what is sent later belongs to the trace of its request', async () => {
  const traceId = 'f'.repeat(32);
  const deliverAt = new Date(Date.now() + 700).toISOString();
  await api.finalView(await api.notify('grace', { deliverAt }, traceparentOf(traceId)));
  const spans = await completeTrace(traceId);
  expect(tree(spans)).toEqual(
    expect.arrayContaining([
      'notification.send-bot notification.send.v1 > notification.send-bot runtime.timer-fired.v1',
      'notification.send-bot runtime.timer-fired.v1 > notification.fan-out-bot notification.prepared.v1',
    ]),
  );
});

test('erasing somebody is one tree as well', async () => {
  const traceId = '1'.repeat(32);
  await putRecipient(api, 'nobody');
  await api.request('DELETE', '/v1/recipients/nobody', undefined, traceparentOf(traceId));
  const spans = await eventually(async () => {
    const found = inTrace(traceId);
    return found.length > 1 ? found : undefined;
  });
  expect(tree(spans)).toEqual([
    'DELETE /v1/recipients/:id > recipient.erasure-reactor recipient.erased.v1',
    'the client > DELETE /v1/recipients/:id',
  ]);
});

test('a directory is asked within the trace', async () => {
  const asked: (string | undefined)[] = [];
  // It knows nobody.
  const directory = createServer((request, response) => {
    asked.push(request.headers['traceparent'] as string | undefined);
    response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(directory, 'listening');
  const { port } = directory.address() as AddressInfo;
  const own = await temporaryFolder();
  const url = `http://127.0.0.1:${port}/key-canary`;
  const other = await startServer(own.path, { ...settings(), TIDINGS_DIRECTORY_URL: url });
  const traceId = 'e'.repeat(32);
  const at = new Api(other);
  expect((await at.finalView(await at.notify('grace', {}, traceparentOf(traceId)))).status).toBe('failed');
  await other.stop();
  const call = inTrace(traceId).find(({ name }) => name === 'POST audience');
  expect(call).toMatchObject({ kind: 'CLIENT', failed: true, attributes: { 'http.response.status_code': 404 } });
  expect(tree(inTrace(traceId))).toContain('notification.send-bot notification.send.v1 > POST audience');
  expect(asked).toEqual([`00-${traceId}-${call!.spanId}-01`]);
  directory.close();
  await own.remove();
});

test('nothing that is sent to the collector tells of anybody, and the header goes to it alone', () => {
  expect(collector.bodies.join()).not.toMatch(/grace|example\.com|How are you|canary/i);
  expect(collector.headers.every((headers) => headers['x-api-key'] === 'key canary')).toBe(true);
  expect(server.output).not.toContain('canary');
  expect(JSON.stringify(server.slack.calls)).not.toContain('canary');
});

describe('a collector that', () => {
  let own: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    own = await temporaryFolder();
  });
  afterAll(() => own?.remove());

  const start = (more: Environment) => startServer(own.path, { ...settings(), ...more });

  const notices = ({ output }: ServerProcess) => output.match(/traces (cannot be sent|are sent again)/g) ?? [];

  test('is away holds nothing up, is told of once, and gets traces when it is back', async () => {
    const away = await CollectorDouble.start();
    await away.refuseConnections();
    const other = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: away.url, OTEL_EXPORTER_OTLP_TIMEOUT: '300' });
    const at = new Api(other);
    await putRecipient(at, 'grace');
    const notify = async () => expect((await at.finalView(await at.notify('grace'))).status).toBe('sent');
    await notify();
    await eventually(async () => (notices(other).length > 0 ? true : undefined));
    await notify();
    await away.acceptConnections();
    await notify();
    await eventually(async () => (away.spans.length > 0 && notices(other).length > 1 ? true : undefined));
    expect(notices(other)).toEqual(['traces cannot be sent', 'traces are sent again']);
    await other.stop();
    await away.close();
  });

  test('never answers does not keep the server from ending', async () => {
    const silent = await CollectorDouble.start();
    silent.silent = true;
    const waits = { OTEL_BSP_SCHEDULE_DELAY: '60000', OTEL_EXPORTER_OTLP_TIMEOUT: '1000' };
    const other = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: silent.url, ...waits });
    const at = new Api(other);
    await putRecipient(at, 'grace');
    await at.finalView(await at.notify('grace'));
    await other.stop();
    expect(silent.bodies.length).toBeGreaterThan(0);
    await silent.close();
  });

  test('is there gets what is left when the server ends', async () => {
    const quiet = await CollectorDouble.start();
    const other = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: quiet.url, OTEL_BSP_SCHEDULE_DELAY: '60000' });
    await putRecipient(new Api(other), 'grace');
    expect(quiet.spans).toEqual([]);
    await other.stop();
    expect(quiet.spans.map(({ name }) => name)).toContain('PUT /v1/recipients/:id');
    await quiet.close();
  });
});
