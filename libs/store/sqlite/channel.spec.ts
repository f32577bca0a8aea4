import { expect, test } from '@jest/globals';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { Channel } from './channel.js';

function workerOf(program: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(program)}`);
}

const answering = `
  import { parentPort } from 'node:worker_threads';
  parentPort.on('message', (request) => {
    if (request === 'die') process.exit(1);
    if (request === 'throw') throw new Error('out of luck');
    if (request === 'fail') parentPort.postMessage({ failure: { code: 'store-unusable', message: 'damaged' } });
    if (request === 'echo') parentPort.postMessage({ value: request });
    if (request === 'close') { parentPort.postMessage({ value: '' }); parentPort.close(); }
  });
  parentPort.postMessage({ value: 'ready' });`;

async function open(ends: StoreUnavailable[] = []): Promise<Channel<string>> {
  const channel = new Channel<string>(workerOf(answering), undefined, (error) => ends.push(error));
  expect(await channel.ready()).toBe('ready');
  return channel;
}

test('answers in order, failures as errors', async () => {
  const channel = await open();
  const answers = await Promise.allSettled([channel.call('echo'), channel.call('fail'), channel.call('echo')]);
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  await expect(channel.call('fail')).rejects.toThrow(StoreUnusable);
  expect(channel.messages).toBe(4);
  await channel.close('close');
  await expect(channel.call('echo')).rejects.toThrow('the store is closed');
});

test.each([
  ['die', 'a thread of the store stopped'],
  ['throw', 'out of luck'],
])('rejects everything that waits when the thread ends (%s), and everything after', async (request, message) => {
  const ends: StoreUnavailable[] = [];
  const channel = await open(ends);
  const waiting = [channel.call('nothing'), channel.call(request), channel.call('echo')];
  for (const answer of await Promise.allSettled(waiting)) {
    expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });
  }
  await expect(channel.call('echo')).rejects.toThrow(message);
  expect(ends).toHaveLength(1);
  await channel.close('close');
});

test('rejects when the thread cannot even start', async () => {
  const channel = new Channel<string>(workerOf('throw new Error("no such file")'), undefined, () => undefined);
  await expect(channel.ready()).rejects.toThrow('no such file');
});
