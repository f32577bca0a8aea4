import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  BACKWARDS,
  END,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  type AllStreamResolvedEvent,
  type ReadStreamOptions,
} from '@eventstore/db-client';
import { newId, type Metadata } from '#libs/kernel';
import { TemporaryFacade } from '#libs/testing/facade';

let fixture: TemporaryFacade;

beforeAll(async () => {
  fixture = await TemporaryFacade.open();
});

afterAll(() => fixture.remove());

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const event = (n: number, metadata?: Metadata) => ({
  id: newId(),
  type: 'read.v1',
  data: { n },
  ...(metadata && { metadata }),
});

async function appended(stream: string, count: number, metadata?: Metadata): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => event(n, metadata));
  await fixture.store.append(stream, 'any', events);
}

async function revisions(stream: string, options?: ReadStreamOptions): Promise<number[]> {
  const read = await collect(fixture.client.readStream(stream, options));
  return read.map((resolved) => Number(resolved.event!.revision));
}

async function positions(options: Parameters<typeof fixture.client.readAll>[0]): Promise<bigint[]> {
  const read: AllStreamResolvedEvent[] = await collect(fixture.client.readAll(options));
  return read.map((resolved) => resolved.event!.position.commit);
}

describe('a stream', () => {
  test('comes with everything that was recorded', async () => {
    const stream = 'reading.whole-ä';
    const metadata = { $correlationId: newId(), $causationId: newId(), more: ['ü'] };
    const given = { id: newId(), type: 'read.schön.v1', data: { text: 'Grüße 👋', list: [null, 1.5] }, metadata };
    const { position } = await fixture.store.append(stream, 'noStream', [given]);
    const [recorded] = await collect(fixture.store.readStream(stream));
    const [read] = await collect(fixture.client.readStream(stream));
    expect(read).toEqual({
      event: {
        ...given,
        streamId: stream,
        revision: 0n,
        isJson: true,
        created: new Date(recorded!.created),
        position: { commit: position, prepare: position },
      },
      commitPosition: position,
    });
  });

  test('forwards and backwards, from a revision, the start or the end, so many', async () => {
    const stream = 'reading.some-1';
    await appended(stream, 5);
    expect(await revisions(stream)).toEqual([0, 1, 2, 3, 4]);
    expect(await revisions(stream, { fromRevision: 2n, maxCount: 2 })).toEqual([2, 3]);
    expect(await revisions(stream, { fromRevision: END })).toEqual([]);
    expect(await revisions(stream, { fromRevision: 9n })).toEqual([]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 2 })).toEqual([4, 3]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: 2n })).toEqual([2, 1, 0]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: START })).toEqual([0]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: 2n ** 64n - 1n, maxCount: 1 })).toEqual([4]);
  });

  test('that never was, or was deleted: not found', async () => {
    await expect(collect(fixture.client.readStream('reading.none-1'))).rejects.toThrow(StreamNotFoundError);
    await appended('reading.deleted-1', 2);
    await fixture.client.deleteStream('reading.deleted-1');
    await expect(collect(fixture.client.readStream('reading.deleted-1'))).rejects.toThrow(StreamNotFoundError);
    await expect(collect(fixture.client.readStream('$ce-reading.none'))).rejects.toThrow(StreamNotFoundError);
  });

  test('that was tombstoned: deleted', async () => {
    await appended('reading.tombstoned-ü', 2);
    await fixture.client.tombstoneStream('reading.tombstoned-ü');
    const reading = collect(fixture.client.readStream('reading.tombstoned-ü'));
    await expect(reading).rejects.toThrow(StreamDeletedError);
    await expect(reading).rejects.toMatchObject({ streamName: 'reading.tombstoned-%C3%BC' });
  });

  test('as far as its metadata lets it', async () => {
    const stream = 'reading.kept-1';
    await appended(stream, 5);
    await fixture.client.setStreamMetadata(stream, { maxCount: 2, owner: 'ada' });
    expect(await revisions(stream)).toEqual([3, 4]);
    expect(await fixture.client.getStreamMetadata(stream)).toMatchObject({ metadata: { maxCount: 2, owner: 'ada' } });
  });

  test('of more than a page', async () => {
    await appended('reading.long-1', 3_000);
    expect(await revisions('reading.long-1')).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  });
});

describe('all streams', () => {
  test('forwards from a position on, backwards from before it', async () => {
    await appended('reading.all-1', 3);
    const all = await positions({});
    expect(all).toEqual([...all].sort((a, b) => Number(a - b)));
    const [first, second, third] = all.slice(-3) as [bigint, bigint, bigint];
    const at = (position: bigint) => ({ commit: position, prepare: position });
    expect(await positions({ fromPosition: at(second) })).toEqual([second, third]);
    expect(await positions({ fromPosition: at(first), maxCount: 1 })).toEqual([first]);
    expect(await positions({ fromPosition: END })).toEqual([]);
    expect(await positions({ direction: BACKWARDS, fromPosition: END, maxCount: 2 })).toEqual([third, second]);
    expect(await positions({ direction: BACKWARDS, fromPosition: at(third), maxCount: 2 })).toEqual([second, first]);
    expect(await positions({ direction: BACKWARDS, fromPosition: START })).toEqual([]);
    expect(await positions({ direction: BACKWARDS, fromPosition: at(1n) })).toEqual([]);
  });
});

describe('the streams that projections make', () => {
  const text = (data: unknown) => Buffer.from(data as Uint8Array).toString();

  test('of a category: links, or the events they lead to', async () => {
    for (const key of ['1', '2', '1']) await appended(`reading.linked-${key}`, 1);
    await appended('reading.linkedNot-1', 1);
    const links = await collect(fixture.client.readStream('$ce-reading.linked'));
    expect(links.map(({ event: link }) => [link!.type, link!.streamId, link!.isJson, text(link!.data)])).toEqual([
      ['$>', '$ce-reading.linked', false, '0@reading.linked-1'],
      ['$>', '$ce-reading.linked', false, '0@reading.linked-2'],
      ['$>', '$ce-reading.linked', false, '1@reading.linked-1'],
    ]);

    const resolved = await collect(fixture.client.readStream('$ce-reading.linked', { resolveLinkTos: true }));
    expect(resolved.map((one) => [one.event!.streamId, one.event!.revision, one.link!.id])).toEqual([
      ['reading.linked-1', 0n, links[0]!.event!.id],
      ['reading.linked-2', 0n, links[1]!.event!.id],
      ['reading.linked-1', 1n, links[2]!.event!.id],
    ]);

    const after = resolved[1]!.link!.revision;
    expect(await revisions('$ce-reading.linked', { fromRevision: after })).toEqual(
      links.slice(1).map(({ event: link }) => Number(link!.revision)),
    );
    expect(await revisions('$ce-reading.linked', { direction: BACKWARDS, fromRevision: END, maxCount: 1 })).toEqual([
      Number(links[2]!.event!.revision),
    ]);
  });

  test.each([
    ['that says when it was made', newId()],
    ['of any other kind', 'order 7'],
  ])('of a correlation id %s, wherever its events stand', async (_, correlationId) => {
    await appended('reading.flow-1', 300);
    await appended('reading.flow-2', 2, { $correlationId: correlationId });
    await appended('reading.flow-1', 300, { $correlationId: newId() });
    await appended('reading.flow-3', 1, { $correlationId: correlationId });
    const stream = `$bc-${correlationId}`;
    const read = await collect(fixture.client.readStream(stream, { resolveLinkTos: true }));
    expect(read.map((one) => [one.event!.streamId, one.event!.revision, one.link!.streamId])).toEqual([
      ['reading.flow-2', expect.any(BigInt), stream],
      ['reading.flow-2', expect.any(BigInt), stream],
      ['reading.flow-3', expect.any(BigInt), stream],
    ]);
    const last = read[2]!.link!.revision;
    expect(await revisions(stream, { fromRevision: last })).toEqual([Number(last)]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: END })).toEqual(
      read.map(({ link }) => Number(link!.revision)).reverse(),
    );
    expect(await revisions(stream, { maxCount: 1 })).toHaveLength(1);
  });
});
