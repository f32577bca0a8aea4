import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '#libs/kernel';
import { CorruptedIdempotency, WrongExpectedRevision, type ExpectedRevision, type NewEvent } from '#libs/store/port';
import type { ContractContext } from './context.js';
import { collect, freshCategory, idsOf } from './helpers.js';

interface Attempt {
  readonly stream: number;
  readonly expected: number | 'noStream' | 'any' | 'streamExists';
  /** Which of a few ids: so few that they meet again. */
  readonly ids: readonly number[];
}

type Answer = { readonly revision: bigint } | 'wrong' | 'corrupted';

/** The append table in its shortest form; `held` are the ids of a stream. */
function answerOf(
  held: string[],
  expected: Attempt['expected'],
  ids: readonly string[],
  idempotentAny: boolean,
): Answer {
  if (expected === 'streamExists' && held.length === 0) return 'wrong';
  if (expected === 'any' || expected === 'streamExists') {
    if (idempotentAny && ids.every((id) => held.includes(id)))
      return { revision: BigInt(held.lastIndexOf(ids.at(-1)!)) };
  } else {
    const next = expected === 'noStream' ? 0 : expected + 1;
    if (next > held.length) return 'wrong';
    if (next < held.length) {
      const matching = ids.findIndex((id, n) => held[next + n] !== id);
      if (matching === -1) return { revision: BigInt(next + ids.length - 1) };
      return matching === 0 ? 'wrong' : 'corrupted';
    }
  }
  held.push(...ids);
  return { revision: BigInt(held.length - 1) };
}

const attempts: fc.Arbitrary<Attempt> = fc.record({
  stream: fc.nat(2),
  expected: fc.oneof(fc.constantFrom('noStream' as const, 'any' as const, 'streamExists' as const), fc.nat(6)),
  ids: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 3 }),
});

export function model({ store, capabilities }: ContractContext): void {
  describe('a model', () => {
    test('gives the same answers to any sequence of appends', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(attempts, { maxLength: 25 }), fc.boolean(), async (sequence, atOnce) => {
          const category = freshCategory();
          const pool = Array.from({ length: 6 }, () => newId());
          const held: string[][] = [[], [], []];
          const run = async ({ stream, expected, ids }: Attempt): Promise<Answer> => {
            const given: NewEvent[] = ids.map((n) => ({ id: pool[n]!, type: 'contract.tested.v1', data: {} }));
            const revision: ExpectedRevision = typeof expected === 'number' ? BigInt(expected) : expected;
            try {
              return { revision: (await store().append(`${category}-${stream}`, revision, given)).revision };
            } catch (thrown) {
              if (thrown instanceof WrongExpectedRevision) return 'wrong';
              if (thrown instanceof CorruptedIdempotency) return 'corrupted';
              throw thrown;
            }
          };
          const expected = sequence.map(({ stream, expected: revision, ids }) =>
            answerOf(
              held[stream]!,
              revision,
              ids.map((n) => pool[n]!),
              capabilities.idempotentAny,
            ),
          );
          const answers: Answer[] = [];
          if (atOnce && capabilities.groupCommit) answers.push(...(await Promise.all(sequence.map(run))));
          else for (const attempt of sequence) answers.push(await run(attempt));
          expect(answers).toEqual(expected);
          for (const [n, ids] of held.entries()) {
            expect(idsOf(await collect(store().readStream(`${category}-${n}`)))).toEqual(ids);
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}
