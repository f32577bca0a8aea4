import { expect, test } from '@jest/globals';
import { WriteGate } from './write-gate.js';

test('closed, it lets nobody in, and what is inside has ended', async () => {
  const gate = new WriteGate();
  const told: string[] = [];
  let finish!: () => void;
  const inside = gate.pass(() => new Promise<void>((resolve) => (finish = resolve))).then(() => told.push('inside'));
  const closing = gate.close().then((open) => {
    told.push('closed');
    return open;
  });
  const late = gate.pass(() => Promise.resolve(told.push('late')));
  finish();
  const open = await closing;
  await inside;
  expect(told.sort()).toEqual(['closed', 'inside']);
  open();
  await late;
  expect(told).toContain('late');
});

test('closed twice, the second waits for the first', async () => {
  const gate = new WriteGate();
  const open = await gate.close();
  let isClosed = false;
  const second = gate.close().then((openAgain) => {
    isClosed = true;
    return openAgain;
  });
  await Promise.resolve();
  expect(isClosed).toBe(false);
  open();
  (await second)();
  expect(await gate.pass(() => Promise.resolve('in'))).toBe('in');
});
