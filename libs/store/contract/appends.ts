import { describe, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { AppendTooLarge, maxAppendBytes, WrongExpectedRevision } from '#libs/store/port';
import type { ContractContext } from './context.js';
import { collect, event, events, freshCategory, freshStream, idsOf, unchecked } from './helpers.js';

/** JSON of exactly so many bytes. */
function dataOf(bytes: number): string {
  return 'x'.repeat(bytes - 2);
}

export function appends({ store, capabilities, reopen }: ContractContext): void {
  describe('appends', () => {
    test('in order with appendAll, and stops at the first that fails', async () => {
      const category = freshCategory();
      const [first, second, third] = [`${category}-1`, `${category}-2`, `${category}-3`] as const;
      const results = await store().appendAll([
        { stream: first, expected: 'noStream', events: events(2) },
        { stream: second, expected: 'noStream', events: events(1) },
        { stream: first, expected: 1n, events: events(1) },
      ]);
      expect(results.map(({ revision }) => revision)).toEqual([1n, 0n, 2n]);
      const inOrder = await collect(store().readAll({ filter: { categories: [category] } }));
      expect(inOrder.map(({ stream }) => stream)).toEqual([first, first, second, first]);

      const failing = store().appendAll([
        { stream: first, expected: 2n, events: events(1) },
        { stream: second, expected: 'noStream', events: events(1) },
        { stream: third, expected: 'noStream', events: events(1) },
      ]);
      await expect(failing).rejects.toThrow(WrongExpectedRevision);
      await expect(failing).rejects.toMatchObject({ stream: second });
      expect(await collect(store().readStream(first))).toHaveLength(4);
      expect(await collect(store().readStream(third))).toEqual([]);
    });

    test('what comes before an append that is not valid', async () => {
      const [first, second] = [freshStream(), freshStream()];
      const appending = store().appendAll([
        { stream: first, expected: 'noStream', events: events(1) },
        { stream: second, expected: 'noStream', events: [] },
      ]);
      await expect(appending).rejects.toThrow(TypeError);
      expect(await collect(store().readStream(first))).toHaveLength(1);
      expect(await store().appendAll([])).toEqual([]);
    });

    test('more events at once than one commit holds', async () => {
      const category = freshCategory();
      const count = capabilities.groupCommit ? 3000 : 300;
      const given = Array.from({ length: count }, (_, n) => ({
        stream: `${category}-${n % 7}`,
        expected: 'any' as const,
        events: events(1),
      }));
      const results = await store().appendAll(given);
      expect(results).toHaveLength(count);
      const all = await collect(store().readAll({ filter: { categories: [category] } }));
      expect(idsOf(all)).toEqual(given.map((one) => one.events[0]!.id));
    });

    test(`up to the limit and not beyond; each character of a type counts two bytes ${unchecked}`, async () => {
      const stream = freshStream();
      const half = maxAppendBytes / 2 - 2 * event().type.length;
      await store().append(stream, 'noStream', [event(dataOf(half)), event(dataOf(half))]);
      await expect(store().append(stream, 1n, [event(dataOf(half)), event(dataOf(half + 1))])).rejects.toThrow(
        AppendTooLarge,
      );
      await expect(store().append(stream, 1n, [event('ä'.repeat(maxAppendBytes / 2))])).rejects.toMatchObject({
        limit: maxAppendBytes,
      });
      expect((await collect(store().readStream(stream))).map(({ data }) => (data as string).length)).toEqual([
        half - 2,
        half - 2,
      ]);
    });

    test('data and metadata exactly as they were given', async () => {
      const stream = freshStream();
      const key = stream.slice(stream.indexOf('-') + 1);
      const data = {
        text: 'Grüße, 世界 🎉 \u0000 \u2028 "quoted" \\ \ud800 e\u0301',
        numbers: [0, -1, 1.5e-7, Number.MAX_SAFE_INTEGER],
        nested: { empty: {}, list: [null, true, false, ''] },
        'key with \n line': 1,
      };
      const metadatas = [
        undefined,
        { $correlationId: key, $causationId: newId() },
        { $correlationId: key },
        { $causationId: newId() },
        { $correlationId: newId(), $causationId: newId() },
        { $correlationId: key, $causationId: newId(), more: { deep: ['ü'] } },
      ];
      await store().append(
        stream,
        'noStream',
        metadatas.map((metadata) => event(data, 'contract.schön.v1', metadata)),
      );
      const records = await collect(store().readStream(stream));
      expect(records.map(({ metadata }) => metadata)).toEqual(metadatas.map((metadata) => metadata ?? {}));
      for (const record of records) {
        expect(record.data).toEqual(data);
        expect(record).toMatchObject({ stream, type: 'contract.schön.v1' });
      }
    });

    test('revisions and positions as bigints, and the time in milliseconds', async () => {
      const stream = freshStream();
      const before = Date.now();
      const { revision, position } = await store().append(stream, 'noStream', events(2));
      const [first, second] = await collect(store().readStream(stream));
      expect([first!.revision, second!.revision, revision]).toEqual([0n, 1n, 1n]);
      expect(second!.position).toBe(position);
      expect(second!.position > first!.position).toBe(true);
      expect(Math.abs(first!.created - before)).toBeLessThan(60_000);
      expect(await store().head()).toBeGreaterThanOrEqual(second!.position);
    });

    test.each([
      ['no events', 'ok', []],
      ['an empty type', 'ok', [{ ...event(), type: '' }]],
      ['an id that is no UUID', 'ok', [{ ...event(), id: 'one' }]],
      ['data that is no JSON', 'ok', [{ ...event(), data: undefined }]],
      ['an empty stream name', '', [event()]],
    ])('refuses %s', async (_, name, given) => {
      const stream = name === '' ? '' : freshStream();
      await expect(store().append(stream, 'noStream', given)).rejects.toThrow(TypeError);
    });

    test('so that everything is there after opening the store again', async () => {
      const stream = freshStream();
      const given = events(5);
      await store().append(stream, 'noStream', given);
      const head = await store().head();
      if ((await reopen()) === undefined) return;
      expect(idsOf(await collect(store().readStream(stream)))).toEqual(idsOf(given));
      expect(await store().head()).toBe(head);
      expect((await store().append(stream, 4n, events(1))).revision).toBe(5n);
      expect((await store().append(stream, 'noStream', given)).revision).toBe(4n);
    });
  });
}
