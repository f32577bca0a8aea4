import { describe, expect, test } from '@jest/globals';
import { StreamDeleted, WrongExpectedRevision } from '#libs/store/port';
import type { ContractContext } from './context.js';
import { collect, event, events, freshCategory, freshStream, idsOf, revisionsOf, unchecked } from './helpers.js';

const maxRevision = 9_223_372_036_854_775_807n;

export function retention({ store, capabilities }: ContractContext): void {
  describe(`metadata ${unchecked}`, () => {
    test('is empty at first, and replaced as a whole', async () => {
      const stream = freshStream();
      expect(await store().getStreamMetadata(stream)).toEqual({});
      await store().setStreamMetadata(stream, { maxCount: 2, maxAge: 60 });
      expect(await store().getStreamMetadata(stream)).toEqual({ maxCount: 2, maxAge: 60 });
      await store().setStreamMetadata(stream, { truncateBefore: 5n });
      expect(await store().getStreamMetadata(stream)).toEqual({ truncateBefore: 5n });
    });

    test('maxCount: only the last events are read', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(5));
      await store().setStreamMetadata(stream, { maxCount: 2 });
      expect(revisionsOf(await collect(store().readStream(stream)))).toEqual([3n, 4n]);
      await store().append(stream, 4n, events(1));
      expect(revisionsOf(await collect(store().readStream(stream)))).toEqual([4n, 5n]);
      expect(revisionsOf(await collect(store().readStream(stream, { direction: 'backwards' })))).toEqual([5n, 4n]);
      expect(revisionsOf(await collect(store().readStream(stream, { from: 0n, limit: 1 })))).toEqual([4n]);
    });

    test('maxAge: older events are not read', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(2));
      await store().setStreamMetadata(stream, { maxAge: 3600 });
      expect(await collect(store().readStream(stream))).toHaveLength(2);
      await store().setStreamMetadata(stream, { maxAge: 1 });
      let left = 2;
      while (left > 0) left = (await collect(store().readStream(stream))).length;
      expect((await store().append(stream, 1n, events(1))).revision).toBe(2n);
    });

    test('truncateBefore: earlier revisions are not read', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(4));
      await store().setStreamMetadata(stream, { truncateBefore: 3n });
      expect(revisionsOf(await collect(store().readStream(stream)))).toEqual([3n]);
    });
  });

  describe(`a soft delete ${unchecked}`, () => {
    test('hides what is there, and what comes next is read again', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(3));
      await store().deleteStream(stream, 2n);
      expect(await collect(store().readStream(stream))).toEqual([]);
      expect(await store().getStreamMetadata(stream)).toEqual({ truncateBefore: maxRevision });
      await store().append(stream, 'any', events(1));
      expect(revisionsOf(await collect(store().readStream(stream)))).toEqual([3n]);
      expect(await store().getStreamMetadata(stream)).toEqual({ truncateBefore: 3n });
    });

    test('wants the expected revision', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(3));
      await expect(store().deleteStream(stream, 1n)).rejects.toThrow(WrongExpectedRevision);
      expect(await collect(store().readStream(stream))).toHaveLength(3);
      await store().deleteStream(stream, 'streamExists');
      expect(await collect(store().readStream(stream))).toEqual([]);
    });
  });

  describe(`a tombstone ${unchecked}`, () => {
    test('ends a stream for ever', async () => {
      const stream = freshStream();
      await store().append(stream, 'noStream', events(3));
      await expect(store().tombstoneStream(stream, 0n)).rejects.toThrow(WrongExpectedRevision);
      await store().tombstoneStream(stream, 2n);
      await expect(collect(store().readStream(stream))).rejects.toThrow(StreamDeleted);
      await expect(collect(store().readStream(stream, { direction: 'backwards', limit: 1 }))).rejects.toThrow(
        StreamDeleted,
      );
      await expect(store().append(stream, 'any', events(1))).rejects.toThrow(StreamDeleted);
      await expect(store().deleteStream(stream, 'any')).rejects.toThrow(StreamDeleted);
      await expect(store().tombstoneStream(stream, 'any')).rejects.toThrow(StreamDeleted);
    });

    test('can be set where there never was a stream', async () => {
      const stream = freshStream();
      await store().tombstoneStream(stream, 'noStream');
      await expect(store().append(stream, 'noStream', events(1))).rejects.toThrow(StreamDeleted);
    });
  });

  if (capabilities.scavenge) {
    describe('a scavenge', () => {
      test('removes what is hidden, keeps what is read, and revisions go on', async () => {
        const category = freshCategory();
        const [counted, truncated, deleted, gone, kept] = ['counted', 'truncated', 'deleted', 'gone', 'kept'].map(
          (key) => `${category}-${key}`,
        ) as [string, string, string, string, string];
        const given = events(4);
        for (const stream of [counted, truncated, deleted, gone, kept]) await store().append(stream, 'noStream', given);
        await store().setStreamMetadata(counted, { maxCount: 1 });
        await store().setStreamMetadata(truncated, { truncateBefore: 2n });
        await store().deleteStream(deleted, 3n);
        await store().tombstoneStream(gone, 3n);
        expect(await store().scavenge()).toBeGreaterThanOrEqual(3 + 2 + 3 + 3);

        const left = await collect(store().readAll({ filter: { categories: [category] } }));
        const count = (stream: string) => left.filter((record) => record.stream === stream).length;
        expect([count(counted), count(truncated), count(kept)]).toEqual([1, 2, 4]);
        expect(count(deleted)).toBeLessThanOrEqual(1);
        expect(revisionsOf(await collect(store().readStream(counted)))).toEqual([3n]);
        expect(idsOf(await collect(store().readStream(kept)))).toEqual(idsOf(given));
        expect((await store().append(counted, 3n, events(1))).revision).toBe(4n);
        expect((await store().append(deleted, 'noStream', [event()])).revision).toBe(4n);
        await expect(store().append(truncated, 'noStream', [event()])).rejects.toMatchObject({ actual: 3n });
        await expect(store().append(gone, 'noStream', [event()])).rejects.toThrow(StreamDeleted);
        expect(await store().scavenge()).toBeGreaterThanOrEqual(0);
        await expect(collect(store().readStream(gone))).rejects.toThrow(StreamDeleted);
      });
    });
  }
}
