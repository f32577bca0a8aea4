import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LowWaterMark, type Ticket } from './low-water-mark.js';

type Step =
  | { readonly do: 'take' }
  | { readonly do: 'pass' }
  | { readonly do: 'finish'; /** Of those open. */ readonly which: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('take' as const) }),
    fc.record({ do: fc.constant('pass' as const) }),
    fc.record({ do: fc.constant('finish' as const), which: fc.nat() }),
  ),
  { maxLength: 200 },
);

describe('LowWaterMark', () => {
  it('is the last position before the first record that is not done', () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const mark = new LowWaterMark(7n);
        const all: { readonly position: bigint; done: boolean; readonly ticket?: Ticket }[] = [];
        let position = 7n;
        for (const step of steps) {
          const open = all.filter(({ done }) => !done);
          position += 3n;
          if (step.do === 'take') all.push({ position, done: false, ticket: mark.take(position) });
          else if (step.do === 'pass') {
            all.push({ position, done: true });
            mark.pass(position);
          } else if (open.length > 0) {
            const chosen = open[step.which % open.length]!;
            chosen.done = true;
            mark.finish(chosen.ticket!);
          }
          const first = all.findIndex(({ done }) => !done);
          const before = all.slice(0, first < 0 ? all.length : first);
          expect(mark.position).toBe(before.at(-1)?.position ?? 7n);
        }
      }),
    );
  });

  it('takes a ticket that is finished twice as finished once', () => {
    const mark = new LowWaterMark(0n);
    const [first, second, third] = [mark.take(1n), mark.take(2n), mark.take(3n)];
    mark.finish(second);
    mark.finish(second);
    mark.finish(first);
    mark.finish(first);
    expect(mark.position).toBe(2n);
    mark.finish(third);
    expect(mark.position).toBe(3n);
  });
});
