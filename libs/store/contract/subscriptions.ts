import { describe, expect, test } from '@jest/globals';
import { eventually } from '#libs/testing';
import { StreamDeleted, type SubscriptionBatch } from '#libs/store/port';
import type { ContractContext } from './context.js';
import {
  collect,
  event,
  events,
  follow,
  freshCategory,
  freshStream,
  idsOf,
  revisionsOf,
  unchecked,
} from './helpers.js';

export function subscriptions({ store }: ContractContext): void {
  describe(`follows a stream ${unchecked}`, () => {
    test('from the start, live without gap or duplicate while it is written', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(300));
      const total = 1500;
      const following = follow(store().subscribeToStream(stream), (records) => records.length >= total);
      for (let n = 300; n < total; n += 10) await store().append(stream, BigInt(n - 1), events(10));
      const { records, batches } = await following;
      expect(revisionsOf(records)).toEqual(Array.from({ length: total }, (_, n) => BigInt(n)));
      for (const batch of batches) expect(batch.checkpoint).toBe(batch.events.at(-1)?.revision ?? batch.checkpoint);
    });

    test('after a revision, exclusive', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(5));
      const { records } = await follow(store().subscribeToStream(stream, { after: 2n }), (seen) => seen.length === 2);
      expect(revisionsOf(records)).toEqual([3n, 4n]);
    });

    test('that does not exist yet: tells that it is live, and waits', async () => {
      const stream = freshStream();
      const seen: SubscriptionBatch[] = [];
      const given = events(1);
      for await (const batch of store().subscribeToStream(stream)) {
        seen.push(batch);
        if (batch.events.length > 0) break;
        await store().append(stream, 'noStream', given);
      }
      expect(seen[0]).toMatchObject({ events: [], live: true });
      expect(idsOf(seen.at(-1)!.events)).toEqual(idsOf(given));
    });

    test('until it is tombstoned', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(1));
      const following = expect(follow(store().subscribeToStream(stream), () => false)).rejects.toThrow(StreamDeleted);
      await store().tombstoneStream(stream, 0n);
      await following;
    });
  });

  describe(`follows all streams ${unchecked}`, () => {
    test('of some categories, live without gap or duplicate while others write too', async () => {
      const [one, other, noise] = [freshCategory(), freshCategory(), freshCategory()] as const;
      const filter = { categories: [one, other] };
      const perWriter = 150;
      const wanted = 2 * 4 * perWriter;
      const write = async (category: string, writer: number) => {
        for (let n = 0; n < perWriter; n += 1)
          await store().append(`${category}-${writer}`, n === 0 ? 'noStream' : BigInt(n - 1), events(1));
      };
      const writers = [one, other, noise].flatMap((category) => [0, 1, 2, 3].map((writer) => write(category, writer)));
      const early = follow(store().subscribeToAll({ filter }), (records) => records.length >= wanted);
      await writers[0];
      const late = follow(store().subscribeToAll({ filter }), (records) => records.length >= wanted);
      await Promise.all(writers);
      const expected = idsOf(await collect(store().readAll({ filter })));
      expect(expected).toHaveLength(wanted);
      expect(idsOf((await early).records)).toEqual(expected);
      expect(idsOf((await late).records)).toEqual(expected);
    });

    test('again after any checkpoint, without gap or duplicate', async () => {
      const category = freshCategory();
      const filter = { categories: [category] };
      for (let n = 0; n < 40; n += 1) await store().append(`${category}-${n}`, 'noStream', events(3));
      const { records, batches } = await follow(store().subscribeToAll({ filter }), (seen) => seen.length === 120);
      let handedOut = 0;
      for (const batch of batches) {
        handedOut += batch.events.length;
        if (handedOut === 120) break;
        const rest = await follow(
          store().subscribeToAll({ filter, after: batch.checkpoint }),
          (seen) => seen.length === 120 - handedOut,
        );
        expect(idsOf(rest.records)).toEqual(idsOf(records.slice(handedOut)));
      }
    });

    test('by type and prefix', async () => {
      const category = freshCategory();
      const filter = { streamPrefixes: [`${category}-a`], types: ['contract.wanted.v1'] };
      const append = (key: string, type: string) => store().append(`${category}-${key}`, 'any', [event({ key }, type)]);
      await append('a1', 'contract.wanted.v1');
      await append('b1', 'contract.wanted.v1');
      const following = follow(store().subscribeToAll({ filter }), (records) => records.length === 2);
      await append('a1', 'contract.other.v1');
      await append('a2', 'contract.wanted.v1');
      expect((await following).records.map(({ stream }) => stream)).toEqual([`${category}-a1`, `${category}-a2`]);
    });

    test('telling how far it got, also past what the filter leaves out', async () => {
      const [wanted, noise] = [freshCategory(), freshCategory()];
      await store().append(`${wanted}-1`, 'noStream', events(1));
      const filter = { categories: [wanted] };
      const enough = new AbortController();
      let reached = 0n;
      const following = follow(store().subscribeToAll({ filter, signal: enough.signal }), (_, { checkpoint }) => {
        reached = checkpoint;
        return false;
      });
      for (let n = 0; n < 200; n += 1) await store().append(`${noise}-1`, 'any', events(1));
      const head = (await store().append(`${noise}-2`, 'noStream', events(1))).position!;
      // Perhaps it was told so before the append was answered.
      await eventually(() => reached >= head);
      enough.abort();
      const { records, batches } = await following;
      expect(records).toHaveLength(1);
      expect(batches.at(-1)!).toMatchObject({ live: true });
      const checkpoints = batches.map(({ checkpoint }) => checkpoint);
      expect(checkpoints).toEqual([...checkpoints].sort((a, b) => Number(a - b)));
    });

    test('until the signal, whether it waits or not', async () => {
      const category = freshCategory();
      const controller = new AbortController();
      const filter = { categories: [category] };
      let live = false;
      for await (const batch of store().subscribeToAll({ filter, signal: controller.signal })) {
        live ||= batch.live;
        if (live) setImmediate(() => controller.abort());
      }
      expect(live).toBe(true);
      expect(await collect(store().subscribeToAll({ filter, signal: AbortSignal.abort() }))).toEqual([]);
    });

    test("but for the store's own", async () => {
      const stream = freshStream();
      const after = await store().head();
      await store().setStreamMetadata(stream, { maxCount: 3 });
      await store().append(stream, 'noStream', events(1));
      const { records } = await follow(store().subscribeToAll({ after }), (seen) =>
        seen.some((record) => record.stream === stream),
      );
      expect(records.filter((record) => record.stream.startsWith('$'))).toEqual([]);
    });
  });
}
