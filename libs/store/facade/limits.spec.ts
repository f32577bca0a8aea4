import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect } from 'node:net';
import { jsonEvent, streamNameFilter, UnavailableError, type EventStoreDBClient } from '@eventstore/db-client';
import { newId } from '#libs/kernel';
import type { FacadeOptions } from '#libs/store/facade';
import type { EventStore } from '#libs/store/port';
import { startFacade } from '#libs/store/facade';
import { eventually, TemporaryStore } from '#libs/testing';
import { TemporaryFacade } from '#libs/testing/facade';

const resourceExhausted = 8;
const invalidArgument = 3;
const deadlineExceeded = 4;

let fixture: TemporaryFacade;

async function open(limits: FacadeOptions['limits'] = {}): Promise<EventStoreDBClient> {
  fixture = await TemporaryFacade.open({ limits });
  return fixture.client;
}

afterEach(() => fixture?.remove());

const event = (data: unknown = {}) => ({ id: newId(), type: 'limited.v1', data });

/** The error that a subscription or read ends with. */
async function errorOf(items: AsyncIterable<unknown>): Promise<unknown> {
  try {
    for await (const item of items) void item;
  } catch (error) {
    return error;
  }
  return undefined;
}

test('subscriptions at a time; one that ends makes room', async () => {
  const client = await open({ subscriptions: 2 });
  const confirmed = (subscription: ReturnType<typeof client.subscribeToAll>) =>
    new Promise((resolve) => subscription.once('confirmation', () => resolve(subscription)));
  const first = client.subscribeToAll();
  const second = client.subscribeToStream('limited.stream-1');
  await Promise.all([confirmed(first), new Promise((resolve) => second.once('confirmation', resolve))]);
  expect(await errorOf(client.subscribeToAll())).toMatchObject({ code: resourceExhausted });
  await first.unsubscribe();
  await eventually(async () => {
    const again = client.subscribeToAll();
    const failed = new Promise((resolve) => again.once('error', resolve));
    return (await Promise.race([confirmed(again), failed])) === again;
  });
});

describe('regular expressions', () => {
  const follow = (client: EventStoreDBClient, regex: string) =>
    client.subscribeToAll({ filter: streamNameFilter({ regex }) });

  test.each([
    ['too long', 'x'.repeat(101)],
    ['not well-formed', '^(limited'],
    ['dangerous', '^(a+)+$'],
  ])('%s: refused', async (_, regex) => {
    const client = await open({ filterLength: 100 });
    expect(await errorOf(follow(client, regex))).toMatchObject({ code: invalidArgument });
  });

  test('slow: stopped in the middle', async () => {
    const client = await open({ filterTime: 20 });
    await fixture.store.append(`slow.${'a'.repeat(1_000)}-1`, 'any', [event()]);
    const started = performance.now();
    const error = await errorOf(follow(client, 'a*a*a*b'));
    expect(error).toMatchObject({ code: invalidArgument });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('prefixes, too, are bounded', async () => {
    const client = await open({ filterLength: 100 });
    const filter = streamNameFilter({ prefixes: ['a'.repeat(60), 'b'.repeat(60)] });
    expect(await errorOf(client.subscribeToAll({ filter }))).toMatchObject({ code: invalidArgument });
    const many = streamNameFilter({ prefixes: Array<string>(200).fill('') });
    expect(await errorOf(client.subscribeToAll({ filter: many }))).toMatchObject({ code: invalidArgument });
  });
});

test('a message that is larger than a client makes them', async () => {
  const client = await open({ messageBytes: 64 * 1024 });
  const large = { ...event({ text: 'x'.repeat(100_000) }), contentType: 'application/json' as const };
  const credentials = { username: 'a', password: 'b' };
  await expect(client.appendToStream('limited.large-1', large as never, { credentials })).rejects.toMatchObject({
    code: resourceExhausted,
  });
});

test('a request that is larger than one to read can be, where nothing can be written', async () => {
  fixture = await TemporaryFacade.open({ writable: false });
  const filter = streamNameFilter({ prefixes: ['x'.repeat(70_000)] });
  expect(await errorOf(fixture.client.subscribeToAll({ filter }))).toMatchObject({ code: resourceExhausted });
});

describe('calls that say nothing', () => {
  const sessions: ClientHttp2Session[] = [];
  afterEach(() => sessions.splice(0).forEach((session) => session.destroy()));

  async function connection(): Promise<ClientHttp2Session> {
    const session = connectHttp2(`http://127.0.0.1:${fixture.facade.port}`);
    sessions.push(session);
    await Promise.all([once(session, 'connect'), once(session, 'remoteSettings')]);
    return session;
  }

  /** Begins a call and sends no request. */
  function begin(session: ClientHttp2Session): ClientHttp2Stream {
    return session
      .request({
        ':method': 'POST',
        ':path': '/event_store.client.streams.Streams/Read',
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      .on('error', () => undefined)
      .resume();
  }

  test('are ended after a while', async () => {
    await open({ request: 100 });
    const [headers] = (await once(begin(await connection()), 'response')) as [IncomingHttpHeaders];
    expect(headers['grpc-status']).toBe(String(deadlineExceeded));
  });

  test('are counted, over all connections and on each; those that end make room', async () => {
    const client = await open({ calls: 3, request: 60_000 });
    await fixture.store.append('limited.stream-1', 'any', [event()]);
    const session = await connection();
    expect(session.remoteSettings.maxConcurrentStreams).toBe(3);
    for (let n = 0; n < 3; n += 1) begin(session);
    const read = () => errorOf(client.readStream('limited.stream-1'));
    await eventually(async () => (await read()) !== undefined);
    expect(await read()).toMatchObject({ code: resourceExhausted });
    session.destroy();
    await eventually(async () => (await read()) === undefined);
  });
});

describe('connections', () => {
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

  test('without calls are closed after a while', async () => {
    await open({ idle: 100 });
    const session = connectHttp2(`http://127.0.0.1:${fixture.facade.port}`);
    await once(session, 'connect');
    await once(session, 'close');
  });

  test('of clients that do not even say that they speak HTTP/2 are closed', async () => {
    await open({ keepalive: 100 });
    const socket = connect(fixture.facade.port, '127.0.0.1').resume();
    await once(socket, 'close');
  });

  test('of clients that answer no ping are closed', async () => {
    await open({ keepalive: 100 });
    const socket = connect(fixture.facade.port, '127.0.0.1');
    socket.write(Buffer.concat([Buffer.from(preface), emptySettings]));
    socket.resume();
    await once(socket, 'close');
  });
});

test('a client that does not read holds nothing up and little of the process', async () => {
  const opened = await TemporaryStore.open();
  const handedOut = { count: 0 };
  const counted: EventStore = new Proxy(opened.store, {
    get(target, property) {
      if (property !== 'subscribeToStream') {
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      return async function* (...given: Parameters<EventStore['subscribeToStream']>) {
        for await (const batch of target.subscribeToStream(...given)) {
          handedOut.count += batch.events.length;
          yield batch;
        }
      };
    },
  });
  const facade = await startFacade(counted, { writable: false, limits: { closing: 100 } });
  const client = (fixture = await TemporaryFacade.open()).connect(`esdb://127.0.0.1:${facade.port}`);
  const total = 2_000;
  for (let n = 0; n < total; n += 100) {
    await opened.store.append(
      'slow.reader-1',
      'any',
      Array.from({ length: 100 }, () => event({ text: 'x'.repeat(5_000) })),
    );
  }
  const subscription = client.subscribeToStream('slow.reader-1');
  await new Promise((resolve) => subscription.once('confirmation', resolve));
  subscription.pause();
  // Others are served meanwhile.
  let read = 0;
  for await (const { event: recorded } of client.readStream('slow.reader-1')) read += recorded === undefined ? 0 : 1;
  expect(read).toBe(total);
  expect(handedOut.count).toBeLessThan(total / 2);
  const stuckAt = handedOut.count;

  let seen = 0;
  for await (const { event: recorded } of subscription) {
    expect(recorded!.revision).toBe(BigInt(seen));
    seen += 1;
    if (seen === total) break;
  }
  expect(handedOut.count).toBeGreaterThan(stuckAt);
  await client.dispose();
  await facade.close();
  await opened.remove();
});

describe('a client that never takes what it has asked for', () => {
  const stream = 'untaken.stream-1';

  async function openWith(limits: FacadeOptions['limits']): Promise<EventStoreDBClient> {
    const client = await open({ untaken: 500, ...limits });
    const events = Array.from({ length: 1_000 }, () => event({ text: 'x'.repeat(900) }));
    await fixture.store.append(stream, 'any', events);
    return client;
  }

  test('loses its subscription, which makes room; one that is quiet stays', async () => {
    const client = await openWith({ subscriptions: 2 });
    const confirmed = (one: ReturnType<typeof client.subscribeToStream>) =>
      new Promise((resolve) => one.once('confirmation', () => resolve(true)));
    const quiet = client.subscribeToStream('untaken.quiet-1');
    await confirmed(quiet);
    const stuck = client.subscribeToStream(stream);
    const ended = new Promise((resolve) => stuck.once('error', resolve));
    await confirmed(stuck);
    stuck.pause();
    expect(await ended).toMatchObject({ code: resourceExhausted });
    await eventually(async () => {
      const again = client.subscribeToStream('untaken.quiet-2');
      return Promise.race([confirmed(again), new Promise((resolve) => again.once('error', () => resolve(false)))]);
    });
    await fixture.store.append('untaken.quiet-1', 'any', [event({ n: 1 })]);
    for await (const { event: recorded } of quiet) {
      expect(recorded!.data).toEqual({ n: 1 });
      break;
    }
  });

  test('loses its reads and its calls, which makes room', async () => {
    const client = await openWith({ reads: 2, calls: 2 });
    const read = () => client.readStream(stream, { maxCount: 1_000 });
    const stuck = [read(), read()];
    const ended = stuck.map((one) => new Promise((resolve) => one.once('error', resolve)));
    for (const error of await Promise.all(ended)) expect(error).toMatchObject({ code: resourceExhausted });
    await eventually(async () => (await errorOf(read())) === undefined);
  });
});

describe('closing', () => {
  test('ends subscriptions at once, those of clients that do not read, too', async () => {
    const client = await open({ closing: 500 });
    await fixture.store.append(
      'closing.stream-1',
      'any',
      Array.from({ length: 1_000 }, () => event({ text: 'x'.repeat(900) })),
    );
    // An append leaves its call open.
    await client.appendToStream('closing.stream-2', jsonEvent({ type: 'limited.v1', data: {} }));
    const live = client.subscribeToStream('closing.none-1');
    const ended = errorOf(live);
    const stuck = client.subscribeToStream('closing.stream-1');
    const stuckEnded = new Promise((resolve) => stuck.once('error', resolve));
    await Promise.all([live, stuck].map((one) => new Promise((resolve) => one.once('confirmation', resolve))));
    stuck.pause();
    const started = performance.now();
    await fixture.facade.close();
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(await ended).toBeInstanceOf(UnavailableError);
    await stuckEnded;
    expect(await errorOf(client.readStream('closing.stream-1'))).toBeInstanceOf(UnavailableError);
  });
});

test('closing is prompt where only an append has left its call open', async () => {
  const client = await open({ closing: 20_000 });
  await client.appendToStream('closing.stream-1', jsonEvent({ type: 'limited.v1', data: {} }));
  const started = performance.now();
  await fixture.facade.close();
  expect(performance.now() - started).toBeLessThan(5_000);
});
