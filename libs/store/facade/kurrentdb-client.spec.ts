import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type {
  AppendToStreamOptions,
  Filter,
  KurrentDBClient,
  ReadStreamOptions,
  ResolvedEvent,
} from '@kurrent/kurrentdb-client';
import { messageOf, newId } from '#libs/kernel';
import { eventually, notRun, testOnlyCertificate, testOnlyKey } from '#libs/testing';
import { FacadeThread } from '#libs/testing/facade-thread';

// Another implementation of the protocol: KurrentDB's client reads in Rust, with the gRPC of another author.

const user = { name: 'auditor', password: 'open-sesame' };
const guest = { name: 'guest', password: 'pässword:canary' };
const correlationId = newId();

async function collect<Item>(items: AsyncIterable<Item>, count = Infinity): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) {
    collected.push(item);
    if (collected.length === count) break;
  }
  return collected;
}

/** Such as `2@orders-1`. */
async function read(events: AsyncIterable<ResolvedEvent>, count?: number): Promise<string[]> {
  return (await collect(events, count)).map((resolved) => `${resolved.event!.revision}@${resolved.event!.streamId}`);
}

const kurrent = await import('@kurrent/kurrentdb-client').catch((error: unknown) => messageOf(error).split('\n')[0]!);
if (typeof kurrent === 'string') {
  notRun('the facade with the client of KurrentDB', kurrent);
  test('nothing of the client of KurrentDB is missing but what is not built for every platform', () => {
    expect(kurrent).toMatch(/Neon: unsupported|no precompiled module|@kurrent\/bridge-/);
  });
} else {
  const {
    AccessDeniedError,
    ANY,
    BACKWARDS,
    END,
    eventTypeFilter,
    excludeSystemEvents,
    jsonEvent,
    KurrentDBClient: Client,
    MaxAppendSizeExceededError,
    NO_STREAM,
    persistentSubscriptionToAllSettingsFromDefaults,
    persistentSubscriptionToStreamSettingsFromDefaults,
    START,
    STREAM_EXISTS,
    StreamDeletedError,
    streamNameFilter,
    StreamNotFoundError,
    UnsupportedError,
    WrongExpectedVersionError,
  } = kurrent;
  const event = (type = 'kurrent.v1', data = {}, metadata = {}) => jsonEvent({ id: newId(), type, data, metadata });
  let folder: string;
  let facades: FacadeThread;
  let client: KurrentDBClient;
  let readOnly: KurrentDBClient;
  const clients: KurrentDBClient[] = [];

  function connect(connectionString: string): KurrentDBClient {
    const connected = Client.connectionString(connectionString);
    clients.push(connected);
    return connected;
  }

  const overTls = (login: string, scheme = 'kurrentdb') =>
    connect(
      `${scheme}://${login}localhost:${facades.ports[2]}?tlsCAFile=${encodeURIComponent(join(folder, 'ca.pem'))}`,
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidings-kurrentdb-'));
    await writeFile(join(folder, 'ca.pem'), testOnlyCertificate);
    const tls = { cert: testOnlyCertificate, key: testOnlyKey };
    facades = await FacadeThread.open(
      { writable: true },
      { writable: false },
      { writable: false, tls, users: [user, guest] },
    );
    client = connect(`kurrentdb://127.0.0.1:${facades.ports[0]}?tls=false`);
    readOnly = connect(`kurrentdb://127.0.0.1:${facades.ports[1]}?tls=false`);
    for (const [stream, types] of [
      ['sea.red-1', ['crab.v1', 'fish.v1', 'crab.v1']],
      ['sea.blue-ä', ['fish.v2', 'whale.v1']],
      ['sea.red-2', ['crab.v2']],
    ] as const) {
      const events = types.map((type, n) => event(type, { n, text: 'Grüße 👋' }, { $correlationId: correlationId }));
      await client.appendToStream(stream, events, { streamState: NO_STREAM });
    }
  });

  afterAll(async () => {
    await Promise.all(clients.map((one) => one.dispose()));
    await facades?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  describe('connecting', () => {
    test.each<[string, () => KurrentDBClient]>([
      ['in plain text', () => readOnly],
      ['with TLS and a password', () => overTls(`${user.name}:${user.password}@`)],
      [
        'to what the cluster says',
        () => connect(`kurrentdb+discover://localhost:${facades.ports[1]}?tls=false&nodePreference=leader`),
      ],
      ['to what the cluster says, with TLS', () => overTls(`${user.name}:${user.password}@`, 'kurrentdb+discover')],
    ])('%s: reads, follows, and may not write', async (_, connected) => {
      const one = connected();
      const stream = 'sea.red-1';
      const all = ['0@sea.red-1', '1@sea.red-1', '2@sea.red-1'];
      expect(await read(one.readStream(stream))).toEqual(all);
      expect(await read(one.readStream(stream, { requiresLeader: true }))).toEqual(all);
      expect(await read(one.subscribeToStream(stream), 3)).toEqual(all);
      await expect(one.appendToStream(stream, event())).rejects.toThrow(AccessDeniedError);
    });

    test.each([
      ['nobody', ''],
      ['a wrong password', `${user.name}:wrong@`],
    ])('%s may do nothing', async (_, login) => {
      const one = overTls(login);
      await expect(read(one.readStream('sea.red-1'))).rejects.toThrow(AccessDeniedError);
      await expect(read(one.readAll())).rejects.toThrow(AccessDeniedError);
      await expect(read(one.subscribeToStream('sea.red-1'))).rejects.toThrow(AccessDeniedError);
      await expect(one.appendToStream('sea.red-1', event())).rejects.toThrow(AccessDeniedError);
    });

    test('the credentials of a call go before those of the client', async () => {
      const credentials = { username: guest.name, password: guest.password };
      const one = overTls('');
      expect(await read(one.readStream('sea.red-2', { credentials }))).toEqual(['0@sea.red-2']);
      expect(await read(one.subscribeToStream('sea.red-2', { credentials }), 1)).toEqual(['0@sea.red-2']);
    });
  });

  describe('reading', () => {
    test('hands out what was appended', async () => {
      const stream = 'read.whole-ä';
      const given = event('read.schön.v1', { text: 'Grüße 👋', list: [null, 1.5] }, { $correlationId: newId() });
      const before = Date.now() - 1_000;
      const { position } = await client.appendToStream(stream, given);
      const [resolved] = await collect(client.readStream(stream));
      const { id, type, data, metadata } = given;
      expect(resolved!.event).toMatchObject({ id, type, data, metadata, streamId: stream, revision: 0n, isJson: true });
      expect(resolved!.event!.position).toEqual(position);
      expect(resolved!.event!.created.getTime()).toBeGreaterThanOrEqual(before);
      expect(resolved!.event!.created.getTime()).toBeLessThanOrEqual(Date.now());
    });

    // Whatever the direction is said to be, this client goes forwards from START and backwards from END.
    test.each<[ReadStreamOptions, number[]]>([
      [{}, [0, 1, 2]],
      [{ fromRevision: 1n }, [1, 2]],
      [{ fromRevision: 1n, maxCount: 1 }, [1]],
      [{ fromRevision: 7n }, []],
      [{ maxCount: 0 }, []],
      [{ direction: BACKWARDS, fromRevision: END }, [2, 1, 0]],
      [{ direction: BACKWARDS, fromRevision: END, maxCount: 2 }, [2, 1]],
      [{ direction: BACKWARDS, fromRevision: 1n }, [1, 0]],
      [{ direction: BACKWARDS, fromRevision: 2n ** 64n - 1n, maxCount: 1 }, [2]],
    ])('a stream with %o', async (options, revisions) => {
      expect(await read(readOnly.readStream('sea.red-1', options))).toEqual(revisions.map((n) => `${n}@sea.red-1`));
    });

    test('all streams, in both directions, from a position on', async () => {
      const all = (await collect(readOnly.readAll())).map((resolved) => resolved.event!);
      const ids = async (options: Parameters<typeof readOnly.readAll>[0]) =>
        (await collect(readOnly.readAll(options))).map((resolved) => resolved.event!.id);
      const given = all.map(({ id }) => id);
      expect(given.length).toBeGreaterThanOrEqual(6);
      expect(await ids({ fromPosition: all[2]!.position, maxCount: 3 })).toEqual(given.slice(2, 5));
      expect(await ids({ direction: BACKWARDS, fromPosition: all[3]!.position })).toEqual(given.slice(0, 3).reverse());
      expect(await ids({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })).toEqual(
        await ids({ fromPosition: all.at(-1)!.position }),
      );
    });

    test.each<[string, Filter, string[]]>([
      ['prefixes of streams', streamNameFilter({ prefixes: ['sea.b', 'sea.red-2'] }), ['blue-ä', 'blue-ä', 'red-2']],
      [
        'a regular expression for streams',
        streamNameFilter({ regex: '^sea\\..*[2ä]$' }),
        ['blue-ä', 'blue-ä', 'red-2'],
      ],
      ['prefixes of types', eventTypeFilter({ prefixes: ['crab.', 'wh'] }), ['red-1', 'red-1', 'blue-ä', 'red-2']],
      ['a regular expression for types', eventTypeFilter({ regex: '^(crab|fish)\\.v2$' }), ['blue-ä', 'red-2']],
      ['what is no system event', excludeSystemEvents(), ['red-1', 'red-1', 'red-1', 'blue-ä', 'blue-ä', 'red-2']],
    ])('all streams by %s, and following them', async (_, filter, expected) => {
      const streams = async (events: AsyncIterable<ResolvedEvent>, count?: number) =>
        (await collect(events, count)).map((resolved) => resolved.event!.streamId.replace('sea.', ''));
      const [last] = await collect(readOnly.readAll({ filter: streamNameFilter({ prefixes: ['sea.red-2'] }) }));
      const fromPosition = { commit: last!.event!.position.commit + 1n, prepare: last!.event!.position.prepare + 1n };
      expect(await streams(readOnly.readAll({ filter, maxCount: expected.length }))).toEqual(expected);
      expect(await streams(readOnly.readAll({ filter, direction: BACKWARDS, fromPosition }))).toEqual(
        [...expected].reverse(),
      );
      expect(await streams(readOnly.subscribeToAll({ filter, fromPosition: START }), expected.length)).toEqual(
        expected,
      );
    });

    test('a regular expression that is none: refused with the reason', async () => {
      const filter = streamNameFilter({ regex: '(sea' });
      await expect(collect(readOnly.readAll({ filter }))).rejects.toThrow('Unterminated group');
      await expect(collect(readOnly.subscribeToAll({ filter }))).rejects.toThrow('Unterminated group');
    });

    test('links, followed or not', async () => {
      const category = await collect(readOnly.readStream('$ce-sea.red', { resolveLinkTos: true }));
      expect(category.map((resolved) => resolved.event!.streamId)).toEqual([
        ...Array.from({ length: 3 }, () => 'sea.red-1'),
        'sea.red-2',
      ]);
      expect(category[3]!.link).toMatchObject({ streamId: '$ce-sea.red', type: '$>', isJson: false });
      expect(await read(readOnly.readStream(`$bc-${correlationId}`, { resolveLinkTos: true }))).toHaveLength(6);
      const [link] = await collect(readOnly.readStream('$ce-sea.red', { direction: BACKWARDS, fromRevision: END }));
      expect(Buffer.from(link!.event!.data as Uint8Array).toString()).toBe('0@sea.red-2');
      const { revision } = category[2]!.link!;
      const rest = readOnly.subscribeToStream('$ce-sea.red', { resolveLinkTos: true, fromRevision: revision });
      expect(await read(rest, 1)).toEqual(['0@sea.red-2']);
    });

    test.each(['sea.none-1', '$ce-none', `$bc-${newId()}`])('%s, which never was: not found', async (stream) => {
      const reading = collect(readOnly.readStream(stream));
      await expect(reading).rejects.toThrow(StreamNotFoundError);
      await expect(reading).rejects.toMatchObject({ streamName: stream });
    });
  });

  describe('following', () => {
    test('a stream that is not there yet: confirmed, caught up, and then what comes', async () => {
      const subscription = client.subscribeToStream('follow.later-1');
      const told: string[] = [];
      for (const name of ['confirmation', 'caughtUp'] as const) subscription.on(name, () => told.push(name));
      const seen = read(subscription, 1);
      await eventually(() => told.length === 2);
      expect(told).toEqual(['confirmation', 'caughtUp']);
      await client.appendToStream('follow.later-1', event());
      expect(await seen).toEqual(['0@follow.later-1']);
    });

    test('from the end, and after a revision', async () => {
      const stream = 'follow.end-1';
      await client.appendToStream(stream, [event(), event()]);
      expect(await read(client.subscribeToStream(stream, { fromRevision: 0n }), 1)).toEqual([`1@${stream}`]);
      const atEnd = client.subscribeToStream(stream, { fromRevision: END });
      const seen = read(atEnd, 1);
      await once(atEnd, 'caughtUp');
      await client.appendToStream(stream, event());
      expect(await seen).toEqual([`2@${stream}`]);
    });

    test('all streams by a filter: checkpoints past what it leaves out, to go on after', async () => {
      const checkpoints: bigint[] = [];
      const filter = streamNameFilter({
        prefixes: ['follow.wanted-'],
        checkpointReached: async (_subscription, { commit }) => void checkpoints.push(commit),
      });
      const subscription = client.subscribeToAll({ fromPosition: END, filter });
      const seen = read(subscription, 2);
      await once(subscription, 'caughtUp');
      await client.appendToStream('follow.wanted-1', event());
      const { position } = await client.appendToStream('follow.noise-1', event());
      await eventually(() => checkpoints.at(-1) === position!.commit);
      await client.appendToStream('follow.wanted-2', event());
      expect(await seen).toEqual(['0@follow.wanted-1', '0@follow.wanted-2']);
      expect(await read(client.subscribeToAll({ fromPosition: position!, filter }), 1)).toEqual(['0@follow.wanted-2']);
    });
  });

  describe.each<[string, AppendToStreamOptions]>([
    ['many in one call', {}],
    // A call with credentials of its own is made by itself.
    ['one in one call', { credentials: { username: 'ada', password: 'unused' } }],
  ])('appending, %s', (name, options) => {
    const category = `append.${name.split(' ')[0]}`;

    test('at the expected revision, and again', async () => {
      const stream = `${category}-1`;
      const given = [event(), event()];
      for (const streamState of [NO_STREAM, NO_STREAM] as const) {
        const result = await client.appendToStream(stream, given, { ...options, streamState });
        expect(result).toMatchObject({ success: true, nextExpectedRevision: 1n });
      }
      const more = await client.appendToStream(stream, event(), { ...options, streamState: 1n });
      expect(more).toMatchObject({ nextExpectedRevision: 2n });
      expect(await client.appendToStream(stream, event(), { ...options, streamState: STREAM_EXISTS })).toMatchObject({
        nextExpectedRevision: 3n,
      });
      expect(await read(client.readStream(stream))).toHaveLength(4);
    });

    test('at another: wrong expected version', async () => {
      const stream = `${category}-conflict`;
      const append = (streamState: AppendToStreamOptions['streamState']) =>
        client.appendToStream(stream, event(), { ...options, streamState: streamState! });
      await expect(append(STREAM_EXISTS)).rejects.toThrow(WrongExpectedVersionError);
      await append(NO_STREAM);
      const wrong = append(7n);
      await expect(wrong).rejects.toThrow(WrongExpectedVersionError);
      await expect(wrong).rejects.toMatchObject({ streamName: stream, expectedState: 7n, actualState: 0n });
      await expect(append(NO_STREAM)).rejects.toMatchObject({ expectedState: 'no_stream', actualState: 0n });
    });

    test('what may not be: refused with the reason', async () => {
      const append = (stream: string, given = event()) => client.appendToStream(stream, given, options);
      await expect(append('$ce-append')).rejects.toThrow(AccessDeniedError);
      await expect(append(`${category}-untyped`, event(''))).rejects.toThrow('type');
      const large = event('large.v1', { text: 'x'.repeat(1_048_576) });
      await expect(append(`${category}-large`, large)).rejects.toThrow(MaxAppendSizeExceededError);
    });
  });

  describe('ending a stream', () => {
    test('softly: not found, until something is appended', async () => {
      const stream = 'end.soft-1';
      await client.appendToStream(stream, [event(), event()]);
      await expect(client.deleteStream(stream, { expectedRevision: 0n })).rejects.toThrow(WrongExpectedVersionError);
      await client.deleteStream(stream, { expectedRevision: 1n });
      await expect(read(client.readStream(stream))).rejects.toThrow(StreamNotFoundError);
      await client.appendToStream(stream, event());
      expect(await read(client.readStream(stream))).toEqual([`2@${stream}`]);
    });

    test('for ever', async () => {
      const stream = 'end.hard-1';
      await client.appendToStream(stream, event());
      await expect(client.tombstoneStream(stream, { expectedRevision: 7n })).rejects.toThrow(WrongExpectedVersionError);
      await client.tombstoneStream(stream, { expectedRevision: 0n });
      await expect(read(client.readStream(stream))).rejects.toThrow(StreamDeletedError);
      await expect(read(client.subscribeToStream(stream))).rejects.toThrow(StreamDeletedError);
      await expect(client.appendToStream(stream, event())).rejects.toThrow(StreamDeletedError);
    });

    test('by its metadata', async () => {
      const stream = 'end.metadata-1';
      await client.appendToStream(stream, [event(), event(), event()]);
      expect(await client.getStreamMetadata(stream)).toEqual({ streamName: stream });
      await client.setStreamMetadata(stream, { maxCount: 2, owner: 'ada' });
      expect(await client.getStreamMetadata(stream)).toMatchObject({ metadata: { maxCount: 2, owner: 'ada' } });
      expect(await read(client.readStream(stream))).toEqual([`1@${stream}`, `2@${stream}`]);
    });
  });

  describe('what there is not is refused, and at once', () => {
    test.each<[string, (one: KurrentDBClient) => Promise<unknown>]>([
      ['delete', (one) => one.deleteStream('sea.red-1')],
      ['tombstone', (one) => one.tombstoneStream('sea.red-1')],
      ['metadata', (one) => one.setStreamMetadata('sea.red-1', { maxCount: 1 })],
    ])('to readers: %s', async (_, write) => {
      await expect(write(readOnly)).rejects.toThrow(AccessDeniedError);
      expect(await read(readOnly.readStream('sea.red-1'))).toHaveLength(3);
    });

    const stream = 'sea.red-1';
    test.each<[string, (one: KurrentDBClient) => Promise<unknown>]>([
      [
        'appends to several streams',
        (one) => one.multiStreamAppend([{ streamName: stream, expectedState: ANY, events: [event()] }]),
      ],
      ['appends of records', (one) => one.appendRecords([{ streamName: stream, record: event() }])],
      [
        'a persistent subscription to all streams',
        (one) => one.createPersistentSubscriptionToAll('group', persistentSubscriptionToAllSettingsFromDefaults()),
      ],
    ])('%s: unsupported', async (_, call) => {
      await expect(call(client)).rejects.toThrow(UnsupportedError);
      await expect(call(readOnly)).rejects.toThrow(UnsupportedError);
    });

    test.each<[string, (one: KurrentDBClient) => Promise<unknown>]>([
      [
        'making a persistent subscription',
        (one) =>
          one.createPersistentSubscriptionToStream(
            stream,
            'group',
            persistentSubscriptionToStreamSettingsFromDefaults(),
          ),
      ],
      [
        'following a persistent subscription',
        (one) => collect(one.subscribeToPersistentSubscriptionToStream(stream, 'group')),
      ],
      ['making a projection', (one) => one.createProjection('all', 'fromAll()')],
      ['listing projections', (one) => one.listProjections()],
    ])('%s: not implemented', async (_, call) => {
      await expect(call(client)).rejects.toThrow('does not implement the method');
      await expect(call(readOnly)).rejects.toThrow('does not implement the method');
    });

    test('what this client asks over HTTP/1.1', async () => {
      await expect(readOnly.listAllPersistentSubscriptions()).rejects.toThrow();
      await expect(overTls('').listAllPersistentSubscriptions()).rejects.toThrow();
    });
  });
}
