import { expect, test } from '@jest/globals';
import { CatchUp, type Stage } from './catch-up.js';

/** Stages at these positions, that move when they are told to. */
function stagesAt(...positions: bigint[]) {
  const stages = positions.map((_, index): Stage => ({ name: `stage ${index}`, position: () => positions[index]! }));
  return { positions, stages };
}

test('all stages are there', async () => {
  const { stages } = stagesAt(9n, 9n);
  expect(await new CatchUp(stages, async () => 9n).reaches(5n, 0)).toBeUndefined();
});

test('the stage that is behind is named', async () => {
  const { stages } = stagesAt(9n, 4n);
  expect(await new CatchUp(stages, async () => 9n).reaches(5n, 0)).toBe('stage 1');
});

test('a stage has to reach what the one before it has written', async () => {
  const { stages, positions } = stagesAt(5n, 5n);
  const catchUp = new CatchUp(stages, async () => 8n);
  expect(await catchUp.reaches(5n, 0)).toBe('stage 1');
  positions[1] = 8n;
  expect(await catchUp.reaches(5n, 0)).toBeUndefined();
});

test('it waits for a stage', async () => {
  let asked = 0;
  const stage: Stage = { name: 'slow', position: async () => BigInt((asked += 1)) };
  expect(await new CatchUp([stage], async () => 3n).reaches(3n, 60_000)).toBeUndefined();
  expect(asked).toBe(3);
});

test('stopped, whoever waits is told at once', async () => {
  const { stages } = stagesAt(0n);
  const catchUp = new CatchUp(stages, async () => 9n);
  const waiting = catchUp.reaches(5n, 60_000);
  catchUp.stop();
  expect(await waiting).toBe('stage 0');
  expect(await catchUp.reaches(5n, 60_000)).toBe('stage 0');
});
