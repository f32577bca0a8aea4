import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AccessDeniedError,
  binaryEvent,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  STREAM_EXISTS,
  StreamDeletedError,
  WrongExpectedVersionError,
  type AppendToStreamOptions,
  type JSONEventType,
} from '@eventstore/db-client';
import { newId, type RecordedEvent } from '#libs/kernel';
import { maxAppendBytes } from '#libs/store/port';
import { TemporaryFacade } from '#libs/testing/facade';

let fixture: TemporaryFacade;

beforeAll(async () => {
  fixture = await TemporaryFacade.open();
});

afterAll(() => fixture.remove());

const event = (data: JSONEventType['data'] = {}, type = 'appended.v1') => jsonEvent({ id: newId(), type, data });

async function stored(stream: string): Promise<RecordedEvent[]> {
  const records: RecordedEvent[] = [];
  for await (const record of fixture.store.readStream(stream)) records.push(record);
  return records;
}

describe.each<[string, AppendToStreamOptions]>([
  ['many in one call', {}],
  // A call with credentials of its own is made by itself.
  ['one in one call', { credentials: { username: 'ada', password: 'unused' } }],
])('appending, %s', (name, options) => {
  const category = `appending.${name.split(' ')[0]}`;

  test('writes what was given, and says where it stands', async () => {
    const stream = `${category}-ä`;
    const metadata = { $correlationId: newId(), $causationId: newId() };
    const given = [{ ...event({ text: 'Grüße 👋' }), metadata }, event({ n: 1 })];
    const result = await fixture.client.appendToStream(stream, given, { ...options, expectedRevision: NO_STREAM });
    const [first, second] = await stored(stream);
    expect(first).toMatchObject({ id: given[0]!.id, type: 'appended.v1', data: { text: 'Grüße 👋' }, metadata });
    expect(second).toMatchObject({ id: given[1]!.id, data: { n: 1 }, metadata: {} });
    expect(result).toMatchObject({ success: true, nextExpectedRevision: 1n, position: { commit: second!.position } });
  });

  test('again with the same ids: the same answer, nothing written', async () => {
    const stream = `${category}-again`;
    const given = [event(), event()];
    for (const expectedRevision of [NO_STREAM, NO_STREAM] as const) {
      const result = await fixture.client.appendToStream(stream, given, { ...options, expectedRevision });
      expect(result).toMatchObject({ success: true, nextExpectedRevision: 1n });
    }
    expect(await stored(stream)).toHaveLength(2);
  });

  test('at another revision: wrong expected version', async () => {
    const stream = `${category}-conflict`;
    const given = [event(), event()];
    const append = (events: typeof given, expectedRevision: AppendToStreamOptions['expectedRevision']) =>
      fixture.client.appendToStream(stream, events, { ...options, expectedRevision: expectedRevision! });
    await expect(append(given, 3n)).rejects.toMatchObject({ expectedVersion: 3n, actualVersion: 'no_stream' });
    await expect(append(given, STREAM_EXISTS)).rejects.toMatchObject({ expectedVersion: 'stream_exists' });
    await append(given, NO_STREAM);
    const wrong = append([event()], NO_STREAM);
    await expect(wrong).rejects.toThrow(WrongExpectedVersionError);
    await expect(wrong).rejects.toMatchObject({
      streamName: stream,
      expectedVersion: 'no_stream',
      actualVersion: 1n,
    });
    // Only the first of the ids stands there already.
    await expect(append([given[0]!, event()], NO_STREAM)).rejects.toMatchObject({ actualVersion: 1n });
    expect(await stored(stream)).toHaveLength(2);
  });

  test('to a tombstoned stream: deleted', async () => {
    const stream = `${category}-gone`;
    await fixture.store.tombstoneStream(stream, 'any');
    const append = fixture.client.appendToStream(stream, [event()], options);
    await expect(append).rejects.toThrow(StreamDeletedError);
    await expect(append).rejects.toMatchObject({ streamName: stream });
  });

  test('more than an append may hold: refused, also where it comes in several parts', async () => {
    const stream = `${category}-large`;
    const half = { text: 'x'.repeat(maxAppendBytes / 2) };
    const append = (count: number) =>
      fixture.client.appendToStream(
        stream,
        Array.from({ length: count }, () => event(half)),
        options,
      );
    for (const count of [2, 8]) {
      await expect(append(count)).rejects.toThrow(MaxAppendSizeExceededError);
      await expect(append(count)).rejects.toMatchObject({ maxAppendSize: maxAppendBytes });
    }
    expect(await append(1)).toMatchObject({ nextExpectedRevision: 0n });
  });

  test.each([
    [
      'data that is no JSON',
      `${category}-binary`,
      binaryEvent({ type: 'binary.v1', data: new Uint8Array([1]) }),
      'only JSON',
    ],
    ['an empty type', `${category}-untyped`, event({}, ''), 'type'],
    ['a stream of links', `$ce-${category}`, event(), AccessDeniedError],
  ])('%s: refused, and told why', async (_, stream, given, reason) => {
    await expect(fixture.client.appendToStream(stream, [given], options)).rejects.toThrow(reason);
    expect(await stored(stream)).toEqual([]);
  });
});

test('many appends at a time are all answered', async () => {
  const streams = Array.from({ length: 1_000 }, (_, n) => `appending.parallel-${n}`);
  const results = await Promise.all(
    streams.map((stream) => fixture.client.appendToStream(stream, event(), { expectedRevision: NO_STREAM })),
  );
  expect(new Set(results.map(({ position }) => position!.commit)).size).toBe(1_000);
});

describe('deleting', () => {
  test('wants the expected revision', async () => {
    const stream = 'deleting.conflict-1';
    await fixture.client.appendToStream(stream, [event(), event()]);
    for (const remove of ['deleteStream', 'tombstoneStream'] as const) {
      const wrong = fixture.client[remove](stream, { expectedRevision: 0n });
      await expect(wrong).rejects.toThrow(WrongExpectedVersionError);
      await expect(wrong).rejects.toMatchObject({ streamName: stream, expectedVersion: 0n, actualVersion: 1n });
    }
    expect(await stored(stream)).toHaveLength(2);
  });

  test('softly: what is appended later is read, at the next revision', async () => {
    const stream = 'deleting.soft-1';
    await fixture.client.appendToStream(stream, [event(), event()]);
    await fixture.client.deleteStream(stream, { expectedRevision: 1n });
    const { metadata } = await fixture.client.getStreamMetadata(stream);
    expect(metadata).toMatchObject({ truncateBefore: Number(2n ** 63n - 1n) });
    expect(await fixture.client.appendToStream(stream, event())).toMatchObject({ nextExpectedRevision: 2n });
    expect((await stored(stream)).map(({ revision }) => revision)).toEqual([2n]);
  });

  test('for ever', async () => {
    const stream = 'deleting.hard-1';
    await fixture.client.appendToStream(stream, event());
    await fixture.client.tombstoneStream(stream, { expectedRevision: 0n });
    await expect(fixture.client.deleteStream(stream)).rejects.toThrow(StreamDeletedError);
  });
});
