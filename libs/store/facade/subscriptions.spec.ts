import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  END,
  eventTypeFilter,
  excludeSystemEvents,
  streamNameFilter,
  StreamDeletedError,
  UnavailableError,
  type AllStreamResolvedEvent,
  type Filter,
  type Position,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { newId } from '#libs/kernel';
import { eventually } from '#libs/testing';
import { TemporaryFacade } from '#libs/testing/facade';

let fixture: TemporaryFacade;

beforeAll(async () => {
  fixture = await TemporaryFacade.open();
});

afterAll(() => fixture.remove());

const event = (type = 'followed.v1') => ({ id: newId(), type, data: {} });
const at = (position: bigint): Position => ({ commit: position, prepare: position });

/** The ids that a subscription hands out until there are so many. */
async function ids(
  subscription: AsyncIterable<ResolvedEvent | AllStreamResolvedEvent>,
  count: number,
): Promise<string[]> {
  const seen: string[] = [];
  for await (const resolved of subscription) {
    seen.push(resolved.event!.id);
    if (seen.length === count) break;
  }
  return seen;
}

describe('a subscription to a stream', () => {
  test('hands out what is there and what comes, without a gap or a duplicate', async () => {
    const stream = 'following.one-1';
    const given = Array.from({ length: 1_500 }, () => event());
    await fixture.store.append(stream, 'noStream', given.slice(0, 700));
    const seen = ids(fixture.client.subscribeToStream(stream), given.length);
    for (let n = 700; n < given.length; n += 10) await fixture.store.append(stream, 'any', given.slice(n, n + 10));
    expect(await seen).toEqual(given.map(({ id }) => id));
  });

  test('begins after a revision, or after all there is', async () => {
    const stream = 'following.after-1';
    const given = Array.from({ length: 4 }, () => event());
    await fixture.store.append(stream, 'noStream', given.slice(0, 3));
    expect(await ids(fixture.client.subscribeToStream(stream, { fromRevision: 0n }), 2)).toEqual(
      given.slice(1, 3).map(({ id }) => id),
    );
    const atEnd = fixture.client.subscribeToStream(stream, { fromRevision: END });
    const seen = ids(atEnd, 1);
    await new Promise((resolve) => atEnd.once('caughtUp', resolve));
    await fixture.store.append(stream, 'any', given.slice(3));
    expect(await seen).toEqual([given[3]!.id]);
  });

  test('is confirmed, and waits for a stream that is not there yet', async () => {
    const subscription = fixture.client.subscribeToStream('following.later-1');
    const told: string[] = [];
    for (const name of ['confirmation', 'caughtUp'] as const) subscription.on(name, () => told.push(name));
    const given = event();
    const seen = ids(subscription, 1);
    await eventually(() => told.length === 2);
    expect(told).toEqual(['confirmation', 'caughtUp']);
    expect(subscription.id).toMatch(/^[0-9a-f-]{36}$/);
    await fixture.store.append('following.later-1', 'noStream', [given]);
    expect(await seen).toEqual([given.id]);
  });

  test('ends when the stream is tombstoned', async () => {
    const stream = 'following.ended-1';
    await fixture.store.append(stream, 'noStream', [event()]);
    const seen = ids(fixture.client.subscribeToStream(stream), Infinity);
    await fixture.store.tombstoneStream(stream, 'any');
    await expect(seen).rejects.toThrow(StreamDeletedError);
  });

  test('of links goes on after a link', async () => {
    const given = Array.from({ length: 4 }, () => event());
    for (const one of given.slice(0, 3)) await fixture.store.append(`following.linked-${newId()}`, 'noStream', [one]);
    const follow = (fromRevision?: bigint) =>
      fixture.client.subscribeToStream('$ce-following.linked', {
        resolveLinkTos: true,
        ...(fromRevision !== undefined && { fromRevision }),
      });
    let second: bigint | undefined;
    for await (const { event: resolved, link } of follow()) {
      expect(link!.type).toBe('$>');
      if (resolved!.id !== given[1]!.id) continue;
      second = link!.revision;
      break;
    }
    const seen = ids(follow(second), 2);
    await fixture.store.append(`following.linked-${newId()}`, 'noStream', given.slice(3));
    expect(await seen).toEqual([given[2]!.id, given[3]!.id]);
  });

  test('to a correlation id goes live', async () => {
    const correlationId = newId();
    const given = [event(), event()];
    const append = (index: number) =>
      fixture.store.append(`following.flow-${newId()}`, 'noStream', [
        { ...given[index]!, metadata: { $correlationId: correlationId } },
        event(),
      ]);
    await append(0);
    const seen = ids(fixture.client.subscribeToStream(`$bc-${correlationId}`, { resolveLinkTos: true }), 2);
    await append(1);
    expect(await seen).toEqual(given.map(({ id }) => id));
  });
});

test('a store that is closed: unavailable', async () => {
  const other = await TemporaryFacade.open();
  const subscription = other.client.subscribeToAll();
  const seen = ids(subscription, 1);
  await new Promise((resolve) => subscription.once('caughtUp', resolve));
  await other.store.close();
  await expect(seen).rejects.toThrow(UnavailableError);
  await expect(ids(other.client.readAll(), 1)).rejects.toThrow(UnavailableError);
  await other.remove();
});

describe('a subscription to all streams', () => {
  test('hands out everything, without a gap or a duplicate, and goes on after any position', async () => {
    const start = await fixture.store.head();
    const given = Array.from({ length: 600 }, () => event());
    const append = (from: number, to: number) =>
      Promise.all(given.slice(from, to).map((one, n) => fixture.store.append(`all.${n % 7}-1`, 'any', [one])));
    await append(0, 200);
    const seen = ids(fixture.client.subscribeToAll({ fromPosition: at(start) }), given.length);
    await append(200, 600);
    const all = await seen;
    expect([...all].sort()).toEqual(given.map(({ id }) => id).sort());
    let before = 0;
    for await (const { event: read } of fixture.client.readAll({ fromPosition: at(start + 1n) })) {
      before += 1;
      if (before % 150 !== 0) continue;
      const rest = await ids(
        fixture.client.subscribeToAll({ fromPosition: read!.position }),
        Math.min(5, all.length - before),
      );
      expect(rest).toEqual(all.slice(before, before + 5));
      if (before === 450) break;
    }
  });

  test('begins at the end', async () => {
    const subscription = fixture.client.subscribeToAll({ fromPosition: END });
    const seen = ids(subscription, 1);
    await new Promise((resolve) => subscription.once('caughtUp', resolve));
    const given = event();
    await fixture.store.append('ending.all-1', 'any', [given]);
    expect(await seen).toEqual([given.id]);
  });

  test.each<[string, Filter, number[]]>([
    ['prefixes of streams', streamNameFilter({ prefixes: ['filtered.a-', 'filtered.b'] }), [0, 1, 2, 3, 5]],
    ['a regular expression for streams', streamNameFilter({ regex: '^filtered\\.[bc]-\\d$' }), [2, 3, 4, 5]],
    ['prefixes of types', eventTypeFilter({ prefixes: ['filter.red'] }), [0, 3]],
    ['a regular expression for types', eventTypeFilter({ regex: 'reen.*v[12]$' }), [1, 4, 5]],
    ['what is no system event', excludeSystemEvents(), [0, 1, 2, 3, 4, 5]],
  ])('takes %s', async (_, filter, expected) => {
    const start = await fixture.store.head();
    const given = [
      ['filtered.a-1', 'filter.red.v1'],
      ['filtered.a-2', 'filter.green.v1'],
      ['filtered.b-1', 'filter.blue.v1'],
      ['filtered.b-2', 'filter.red.v2'],
      ['filtered.c-1', 'filter.green.v2'],
      ['filtered.b-3', 'filter.green.v1'],
    ].map(([stream, type]) => ({ stream: stream!, one: event(type) }));
    const seen = ids(fixture.client.subscribeToAll({ fromPosition: at(start), filter }), expected.length);
    for (const { stream, one } of given) await fixture.store.append(stream, 'any', [one]);
    expect(await seen).toEqual(expected.map((index) => given[index]!.one.id));
  });

  test('tells how far it has got, also past what the filter leaves out', async () => {
    const start = await fixture.store.head();
    const wanted = [event(), event()];
    const checkpoints: bigint[] = [];
    const filter = streamNameFilter({
      prefixes: ['checked.wanted-'],
      maxSearchWindow: 10,
      checkpointInterval: 5,
      checkpointReached: async (_subscription, { commit }) => void checkpoints.push(commit),
    });
    const subscription = fixture.client.subscribeToAll({ fromPosition: at(start), filter });
    const seen: string[] = [];
    subscription.on('data', ({ event: recorded }) => seen.push(recorded!.id));
    for (let n = 0; n < 300; n += 1) await fixture.store.append('checked.noise-1', 'any', [event()]);
    await fixture.store.append('checked.wanted-1', 'any', [wanted[0]!]);
    const { position: head } = await fixture.store.append('checked.noise-1', 'any', [event()]);
    await eventually(() => checkpoints.at(-1) === head);
    await subscription.unsubscribe();
    expect(seen).toEqual([wanted[0]!.id]);
    expect(checkpoints).toEqual([...new Set(checkpoints)].sort((a, b) => Number(a - b)));
    expect(checkpoints.length).toBeLessThan(300 / 50 + 5);

    await fixture.store.append('checked.wanted-2', 'any', [wanted[1]!]);
    const rest = ids(fixture.client.subscribeToAll({ fromPosition: at(checkpoints.at(-1)!), filter }), 1);
    expect(await rest).toEqual([wanted[1]!.id]);
  });
});
