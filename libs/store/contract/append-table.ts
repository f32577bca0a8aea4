import { beforeEach, describe, expect, test } from '@jest/globals';
import { CorruptedIdempotency, StreamDeleted, WrongExpectedRevision, type NewEvent } from '#libs/store/port';
import type { ContractContext } from './context.js';
import { collect, event, events, freshStream, idsOf, unchecked } from './helpers.js';

/** One test for each row of the append table in docs/event-store.md, on streams that hold three events. */
export function appendTable({ store, capabilities }: ContractContext): void {
  describe('answers an append', () => {
    let stream: string;
    let given: NewEvent[];
    const held = async () => idsOf(await collect(store().readStream(stream)));

    beforeEach(async () => {
      stream = freshStream();
      given = events(3);
      await store().append(stream, 'noStream', given);
    });

    test(`noStream, no stream: appended ${unchecked}`, async () => {
      const other = freshStream();
      const result = await store().append(other, 'noStream', events(2));
      expect(result.revision).toBe(1n);
      const records = await collect(store().readStream(other));
      expect(records).toHaveLength(2);
      expect(result.position).toBe(records[1]!.position);
    });

    test(`the current revision: appended ${unchecked}`, async () => {
      const next = event();
      expect((await store().append(stream, 2n, [next])).revision).toBe(3n);
      expect(await held()).toEqual(idsOf([...given, next]));
    });

    test(`the current revision: ids are not looked at, the same can stand twice ${unchecked}`, async () => {
      expect((await store().append(stream, 2n, given)).revision).toBe(5n);
      expect(await held()).toEqual(idsOf([...given, ...given]));
    });

    test(`an earlier revision, the same ids in order: idempotent ${unchecked}`, async () => {
      expect((await store().append(stream, 'noStream', given)).revision).toBe(2n);
      expect((await store().append(stream, 0n, [given[1]!])).revision).toBe(1n);
      expect((await store().append(stream, 0n, given.slice(1))).revision).toBe(2n);
      expect(await held()).toEqual(idsOf(given));
    });

    test(`an earlier revision, the same ids, other content: idempotent ${unchecked}`, async () => {
      const changed = given.map((one) => ({ ...one, data: { other: true } }));
      expect((await store().append(stream, 'noStream', changed)).revision).toBe(2n);
      expect((await collect(store().readStream(stream))).map(({ data }) => data)).toEqual(
        given.map(({ data }) => data),
      );
    });

    test(`an earlier revision, another first id: wrong expected revision ${unchecked}`, async () => {
      const append = store().append(stream, 0n, [event(), given[2]!]);
      await expect(append).rejects.toThrow(WrongExpectedRevision);
      await expect(append).rejects.toMatchObject({ stream, expected: 0n, actual: 2n });
      await expect(store().append(stream, 'noStream', [event()])).rejects.toThrow(WrongExpectedRevision);
      expect(await held()).toEqual(idsOf(given));
    });

    test(`an earlier revision, only the first ids match: corrupted idempotency ${unchecked}`, async () => {
      await expect(store().append(stream, 0n, [given[1]!, event()])).rejects.toThrow(CorruptedIdempotency);
      await expect(store().append(stream, 0n, [given[1]!, given[2]!, event()])).rejects.toThrow(CorruptedIdempotency);
      expect(await held()).toEqual(idsOf(given));
    });

    test(`a later revision: wrong expected revision ${unchecked}`, async () => {
      await expect(store().append(stream, 3n, [event()])).rejects.toMatchObject({ expected: 3n, actual: 2n });
      await expect(store().append(freshStream(), 0n, [event()])).rejects.toMatchObject({ actual: 'noStream' });
    });

    test(`any: appended, whether there is a stream or not ${unchecked}`, async () => {
      expect((await store().append(stream, 'any', [event()])).revision).toBe(3n);
      expect((await store().append(freshStream(), 'any', [event()])).revision).toBe(0n);
    });

    test(`streamExists: appended where there is a stream ${unchecked}`, async () => {
      expect((await store().append(stream, 'streamExists', [event()])).revision).toBe(3n);
    });

    test(`streamExists, no stream: wrong expected revision ${unchecked}`, async () => {
      await expect(store().append(freshStream(), 'streamExists', [event()])).rejects.toMatchObject({
        expected: 'streamExists',
        actual: 'noStream',
      });
    });

    test(`streamExists, only metadata: appended ${unchecked}`, async () => {
      const other = freshStream();
      await store().setStreamMetadata(other, { maxCount: 5 });
      expect((await store().append(other, 'streamExists', [event()])).revision).toBe(0n);
    });

    test(`noStream on a soft-deleted stream: appended at the next revision ${unchecked}`, async () => {
      await store().deleteStream(stream, 2n);
      const next = event();
      expect((await store().append(stream, 'noStream', [next])).revision).toBe(3n);
      expect(await held()).toEqual([next.id]);
    });

    test(`any append to a tombstoned stream: stream deleted ${unchecked}`, async () => {
      await store().tombstoneStream(stream, 2n);
      for (const expected of ['noStream', 'any', 'streamExists', 0n, 2n, 3n] as const) {
        await expect(store().append(stream, expected, given)).rejects.toThrow(StreamDeleted);
      }
    });

    if (capabilities.idempotentAny) {
      test(`any and streamExists, all ids appended a short time ago: idempotent ${unchecked}`, async () => {
        await store().append(stream, 2n, [event()]);
        expect((await store().append(stream, 'any', given)).revision).toBe(2n);
        expect((await store().append(stream, 'streamExists', [given[1]!])).revision).toBe(1n);
        expect(await held()).toHaveLength(4);
      });

      test(`any, some of the ids unknown: appended ${unchecked}`, async () => {
        expect((await store().append(stream, 'any', [given[2]!, event()])).revision).toBe(4n);
      });
    }

    const { idempotenceWindow: window } = capabilities;
    if (window !== undefined) {
      test.each(['any', 'streamExists'] as const)(
        `%s, ids as far back as the store looks: idempotent; repeated later: appended, they stand twice ${unchecked}`,
        async (expected) => {
          const later = events(window - given.length);
          await store().append(stream, 2n, later);
          expect((await store().append(stream, expected, given)).revision).toBe(2n);

          const last = event();
          await store().append(stream, BigInt(window - 1), [last]);
          expect((await store().append(stream, expected, given)).revision).toBe(BigInt(window + given.length));
          expect(await held()).toEqual(idsOf([...given, ...later, last, ...given]));
        },
      );
    }
  });
}
