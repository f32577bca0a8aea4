import { expect, test } from '@jest/globals';
import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { OpenStreams } from './open-streams.js';

/** The part of a reply that is used. */
function replyOf(raw: PassThrough): FastifyReply {
  return { raw, request: {}, headers: () => undefined } as unknown as FastifyReply;
}

async function closed(raw: PassThrough): Promise<void> {
  raw.destroy();
  await once(raw, 'close');
}

/** Says whether it was told to end. */
async function* chunks(signal: AbortSignal): AsyncGenerator<string> {
  yield signal.aborted ? 'ended' : 'open';
}

test('an answer is open until its connection closes', async () => {
  const streams = new OpenStreams();
  const raw = new PassThrough();
  const answer = streams.answer(replyOf(raw), 'text/plain', chunks);
  expect(streams.size).toBe(1);
  expect(await text(answer.getStream())).toBe('open');
  await closed(raw);
  expect(streams.size).toBe(0);
});

test('for a client that has gone already, nothing is left open', async () => {
  const streams = new OpenStreams();
  const raw = new PassThrough();
  await closed(raw);
  const answer = streams.answer(replyOf(raw), 'text/plain', chunks);
  expect(streams.size).toBe(0);
  expect(await text(answer.getStream())).toBe('ended');
});

test('what is asked for while the server drains ends at once', async () => {
  const streams = new OpenStreams();
  streams.drain();
  const raw = new PassThrough();
  expect(await text(streams.answer(replyOf(raw), 'text/plain', chunks).getStream())).toBe('ended');
  await closed(raw);
});
