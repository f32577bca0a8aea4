import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventually } from '#libs/testing';
import { Flows } from './flows.js';

/** Flows whose work ends when the test says so. Items are `<flow><number>`. */
function flowsOf(concurrency: number) {
  const started: string[] = [];
  const running = new Map<string, () => void>();
  const flows = new Flows<string>(concurrency, (item) => {
    started.push(item);
    return new Promise((resolve) => running.set(item, resolve));
  });
  return {
    flows,
    started,
    running,
    add: (...items: string[]) => items.forEach((item) => flows.add(item[0]!, item)),
    async finish(item: string): Promise<void> {
      const end = await eventually(() => running.get(item));
      running.delete(item);
      end();
      await turn();
    },
  };
}

/** Lets everything run that can run now. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Flows', () => {
  it('runs a flow in order, and flows side by side', async () => {
    const { add, started, finish } = flowsOf(2);
    add('a1', 'a2', 'b1');
    expect(started).toEqual(['a1', 'b1']);
    await finish('a1');
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });

  it('runs no more flows at a time than it may, and serves those that wait in turn', async () => {
    const { add, started, finish, flows } = flowsOf(1);
    add('a1', 'a2', 'b1', 'c1');
    await finish('a1');
    add('a3');
    await finish('b1');
    await finish('c1');
    await finish('a2');
    await finish('a3');
    expect(started).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
    expect(flows.size).toBe(0);
  });

  it('starts nothing while it is paused, and goes on in order afterwards', async () => {
    const { add, started, finish, flows } = flowsOf(2);
    add('a1', 'a2');
    flows.pause();
    add('b1');
    await finish('a1');
    expect(started).toEqual(['a1']);
    flows.resume();
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });

  it('is below a limit when enough is done', async () => {
    const { add, finish, flows } = flowsOf(3);
    add('a1', 'b1', 'c1');
    let below = false;
    const waiting = flows.below(2).then(() => (below = true));
    await finish('a1');
    expect(below).toBe(false);
    await finish('b1');
    await waiting;
  });

  it('closes when what runs is done, starts nothing more, and lets nobody wait', async () => {
    const { add, started, finish, flows } = flowsOf(1);
    add('a1', 'a2', 'b1');
    let closed = false;
    const closing = flows.close().then(() => (closed = true));
    await flows.below(1);
    await turn();
    expect(closed).toBe(false);
    await finish('a1');
    await closing;
    flows.resume();
    await turn();
    expect(started).toEqual(['a1']);
  });

  it('keeps order within each flow and the bound, whatever is added and finished when', async () => {
    const schedule = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant('finish')), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(schedule, fc.integer({ min: 1, max: 3 }), async (steps, concurrency) => {
        const { add, started, running, finish } = flowsOf(concurrency);
        const added: string[] = [];
        const finishOne = async () => {
          const [next] = running.keys();
          if (next !== undefined) await finish(next);
        };
        for (const step of steps) {
          if (step === 'finish') await finishOne();
          else {
            added.push(`${step}${added.length}`);
            add(added.at(-1)!);
          }
          expect(running.size).toBeLessThanOrEqual(concurrency);
        }
        while (running.size > 0) await finishOne();
        expect(started).toHaveLength(added.length);
        for (const flow of ['a', 'b', 'c', 'd']) {
          const of = (items: string[]) => items.filter((item) => item.startsWith(flow));
          expect(of(started)).toEqual(of(added));
        }
      }),
      { numRuns: 50 },
    );
  });
});
