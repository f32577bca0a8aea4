import { expect, test } from '@jest/globals';
import { CatchUp, IndexCatchingUp, IndexFailure } from '#libs/query-index';
import { answerList } from './list-waits.js';

const page = { items: ['a'], last: '00ff' };
const read = async () => page;

/** With one stage that has stopped at a position. */
function stoppedAt(position: bigint): CatchUp {
  return new CatchUp([{ name: 'the projector', position: () => position }], async () => position);
}

test('a page, and the cursor of the next', async () => {
  expect(await answerList(stoppedAt(5n), { atLeast: '5' }, read)).toEqual({ items: ['a'], nextCursor: '00ff' });
  const last = await answerList(stoppedAt(0n), {}, async () => ({ items: [], last: undefined }));
  expect(last).toEqual({ items: [], nextCursor: null });
});

test('what does not get there in time is named in a 503', async () => {
  const catchUp = stoppedAt(4n);
  const waiting = answerList(catchUp, { atLeast: '5' }, read);
  catchUp.stop();
  await expect(waiting).rejects.toMatchObject({ status: 503, message: expect.stringContaining('the projector') });
});

test.each([new IndexCatchingUp(), new IndexFailure('damaged', true)])(
  'without an index it is a 503: %s',
  async (error) => {
    const failing = answerList(stoppedAt(5n), {}, () => Promise.reject(error));
    await expect(failing).rejects.toMatchObject({ status: 503, retryAfter: 2 });
  },
);

test('other errors are what they are', async () => {
  const failing = answerList(stoppedAt(5n), {}, () => Promise.reject(new Error('a bug')));
  await expect(failing).rejects.toThrow('a bug');
});
