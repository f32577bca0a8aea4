import { describe, expect, test } from '@jest/globals';
import { WrongExpectedRevision, type ExpectedRevision } from '#libs/store/port';
import type { ContractContext } from './context.js';
import { collect, event, freshCategory } from './helpers.js';

export function producers({ store, capabilities }: ContractContext): void {
  describe('many producers', () => {
    test('with expected revisions on the same streams lose and double nothing', async () => {
      const category = freshCategory();
      const streams = Array.from({ length: 8 }, (_, n) => `${category}-${n}`);
      const count = 64;
      const each = capabilities.groupCommit ? 12 : 3;
      let conflicts = 0;

      const appendOnce = async (stream: string, data: unknown) => {
        const given = [event(data)];
        let expected: ExpectedRevision = 'noStream';
        for (;;) {
          try {
            return await store().append(stream, expected, given);
          } catch (thrown) {
            if (!(thrown instanceof WrongExpectedRevision)) throw thrown;
            conflicts += 1;
            expected = thrown.actual;
          }
        }
      };
      await Promise.all(
        Array.from({ length: count }, async (_, producer) => {
          for (let n = 0; n < each; n += 1)
            await appendOnce(streams[(producer + n) % streams.length]!, { producer, n });
        }),
      );

      expect(conflicts).toBeGreaterThan(0);
      const all = await collect(store().readAll({ filter: { categories: [category] } }));
      const made = all.map(({ data }) => JSON.stringify(data)).sort();
      const wanted = Array.from({ length: count * each }, (_, at) =>
        JSON.stringify({ producer: Math.floor(at / each), n: at % each }),
      );
      expect(made).toEqual(wanted.sort());
      for (const stream of streams) {
        const revisions = all.filter((record) => record.stream === stream).map(({ revision }) => revision);
        expect(revisions).toEqual(revisions.map((_, n) => BigInt(n)));
      }
    }, 120_000);
  });
}
