import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ContractContext } from './context.js';
import { collect, event, events, freshCategory, freshStream, idsOf, revisionsOf, unchecked } from './helpers.js';

export function reads({ store }: ContractContext): void {
  describe(`reads a stream ${unchecked}`, () => {
    const stream = freshStream();
    const count = 700;

    beforeAll(async () => {
      await store().append(stream, 'noStream', events(count));
    });

    test('forwards, from the start', async () => {
      const read = await collect(store().readStream(stream));
      expect(revisionsOf(read)).toEqual(Array.from({ length: count }, (_, n) => BigInt(n)));
      expect(read.map(({ data }) => data)).toEqual(Array.from({ length: count }, (_, n) => ({ n })));
    });

    test('backwards, from the end', async () => {
      const read = await collect(store().readStream(stream, { direction: 'backwards' }));
      expect(revisionsOf(read)).toEqual(Array.from({ length: count }, (_, n) => BigInt(count - 1 - n)));
    });

    test('from a revision, inclusive', async () => {
      expect(revisionsOf(await collect(store().readStream(stream, { from: 697n })))).toEqual([697n, 698n, 699n]);
      expect(revisionsOf(await collect(store().readStream(stream, { from: 2n, direction: 'backwards' })))).toEqual([
        2n,
        1n,
        0n,
      ]);
      expect(await collect(store().readStream(stream, { from: 700n }))).toEqual([]);
      expect(await collect(store().readStream(stream, { from: 5000n, direction: 'backwards', limit: 1 }))).toHaveLength(
        1,
      );
    });

    test('up to a limit', async () => {
      expect(revisionsOf(await collect(store().readStream(stream, { limit: 2 })))).toEqual([0n, 1n]);
      expect(revisionsOf(await collect(store().readStream(stream, { limit: 1, direction: 'backwards' })))).toEqual([
        699n,
      ]);
      expect(await collect(store().readStream(stream, { limit: 650 }))).toHaveLength(650);
    });

    test('that does not exist: nothing', async () => {
      expect(await collect(store().readStream(freshStream()))).toEqual([]);
    });

    test('only its own events, where one key stands in several categories', async () => {
      const [one, other] = [freshCategory(), freshCategory()];
      await store().append(`${one}-same`, 'noStream', events(2));
      await store().append(`${other}-same`, 'noStream', events(3));
      await store().append(`${other}-same-too`, 'noStream', events(1));
      expect(await collect(store().readStream(`${one}-same`))).toHaveLength(2);
      expect(await collect(store().readStream(`${other}-same`))).toHaveLength(3);
    });

    test('whose name has no hyphen', async () => {
      const name = freshCategory();
      await store().append(name, 'noStream', events(2));
      await store().append(`${name}-1`, 'noStream', events(1));
      const read = await collect(store().readStream(name));
      expect(read.map((record) => record.stream)).toEqual([name, name]);
      expect(await collect(store().readAll({ filter: { categories: [name] } }))).toHaveLength(3);
      expect(await collect(store().readAll({ filter: { streamPrefixes: [`${name}-`] } }))).toHaveLength(1);
    });

    test('with events near the limit of an append, a few at a time', async () => {
      const large = freshStream();
      for (let n = 0; n < 6; n += 1) await store().append(large, 'any', [event({ n, text: 'x'.repeat(900_000) })]);
      const read = await collect(store().readStream(large));
      expect(read.map(({ data }) => (data as { n: number }).n)).toEqual([0, 1, 2, 3, 4, 5]);
    });
  });

  describe(`reads all streams ${unchecked}`, () => {
    const [first, second, third] = [freshCategory(), freshCategory(), freshCategory()] as const;
    const categories = [first, second];
    let ids: string[];

    beforeAll(async () => {
      const given = Array.from({ length: 600 }, (_, n) => ({
        stream: `${[first, second, third][n % 3]!}-${n % 5 === 0 ? 'fifth' : 'other'}.${n % 2}`,
        expected: 'any' as const,
        events: [event({ n }, n % 4 === 0 ? 'contract.fourth.v1' : 'contract.rest.v1')],
      }));
      await store().appendAll(given);
      ids = given.map((append) => append.events[0]!.id);
    });

    const expectedIds = (keep: (n: number) => boolean) => ids.filter((_, n) => keep(n));

    test('of one category and of several, in order of position', async () => {
      const one = await collect(store().readAll({ filter: { categories: [second] } }));
      expect(idsOf(one)).toEqual(expectedIds((n) => n % 3 === 1));
      const two = await collect(store().readAll({ filter: { categories } }));
      expect(idsOf(two)).toEqual(expectedIds((n) => n % 3 !== 2));
      const positions = two.map(({ position }) => position);
      expect(positions).toEqual([...positions].sort((a, b) => Number(a - b)));
    });

    test('backwards', async () => {
      const read = await collect(store().readAll({ direction: 'backwards', filter: { categories } }));
      expect(idsOf(read)).toEqual(expectedIds((n) => n % 3 !== 2).reverse());
    });

    test('of a prefix, within a category and across', async () => {
      const within = await collect(store().readAll({ filter: { streamPrefixes: [`${first}-fifth`] } }));
      expect(idsOf(within)).toEqual(expectedIds((n) => n % 3 === 0 && n % 5 === 0));
      const across = await collect(store().readAll({ filter: { streamPrefixes: [first, `${second}-other`] } }));
      expect(idsOf(across)).toEqual(expectedIds((n) => n % 3 === 0 || (n % 3 === 1 && n % 5 !== 0)));
    });

    test('of a type, with every other condition holding too', async () => {
      const typed = await collect(store().readAll({ filter: { categories, types: ['contract.fourth.v1'] } }));
      expect(idsOf(typed)).toEqual(expectedIds((n) => n % 3 !== 2 && n % 4 === 0));
      const filter = {
        categories,
        types: ['contract.rest.v1', 'contract.none.v1'],
        streamPrefixes: [`${first}-fifth`],
      };
      expect(idsOf(await collect(store().readAll({ filter })))).toEqual(
        expectedIds((n) => n % 3 === 0 && n % 5 === 0 && n % 4 !== 0),
      );
    });

    test('that match nothing: nothing', async () => {
      for (const filter of [
        { categories: [] },
        { categories: [freshCategory()] },
        { streamPrefixes: [freshCategory()] },
        { categories, types: ['contract.none.v1'] },
      ]) {
        expect(await collect(store().readAll({ filter }))).toEqual([]);
      }
    });

    test('from a position, inclusive, up to a limit', async () => {
      const all = await collect(store().readAll({ filter: { categories } }));
      const from = all[100]!.position;
      const forwards = await collect(store().readAll({ from, limit: 150, filter: { categories } }));
      expect(idsOf(forwards)).toEqual(idsOf(all.slice(100, 250)));
      const backwards = await collect(
        store().readAll({ from, limit: 50, direction: 'backwards', filter: { categories } }),
      );
      expect(idsOf(backwards)).toEqual(idsOf(all.slice(51, 101).reverse()));
    });

    test("without a filter, but for the store's own", async () => {
      const stream = freshStream();
      const { position } = await store().append(stream, 'noStream', events(1));
      await store().setStreamMetadata(stream, { maxCount: 3 });
      const read = await collect(store().readAll({ from: position! }));
      expect(read.map((record) => record.stream)).toContain(stream);
      expect(read.filter((record) => record.stream.startsWith('$'))).toEqual([]);
    });
  });
}
