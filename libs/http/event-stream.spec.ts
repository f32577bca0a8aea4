import { expect, test } from '@jest/globals';
import { advanceTo, heartbeat, lastEventId, orSilence, serverSentEvent } from './event-stream.js';

const never = new Promise<never>(() => undefined);

test('an event is an id and one line of data', () => {
  expect(serverSentEvent('7', { text: 'one\ntwo\r' })).toBe('id: 7\ndata: {"text":"one\\ntwo\\r"}\n\n');
  expect(advanceTo('8')).toBe('id: 8\n\n');
  expect(heartbeat).toMatch(/^:.*\n\n$/);
});

test('Last-Event-ID is a position', () => {
  expect(lastEventId(undefined)).toBeUndefined();
  expect(lastEventId('42')).toBe(42n);
  for (const header of ['', 'x', '-1', '1 2']) expect(() => lastEventId(header)).toThrow(/^Last-Event-ID: /);
});

test('silence shows as often as it lasts, and what comes then is not lost', async () => {
  let tell!: (value: string) => void;
  const later = new Promise<string>((resolve) => (tell = resolve));
  async function* source() {
    yield 'first';
    yield await later;
  }
  const seen: (string | undefined)[] = [];
  for await (const value of orSilence(source(), 1)) {
    seen.push(value);
    if (seen.length === 4) tell('last');
  }
  expect(seen.slice(0, 4)).toEqual(['first', undefined, undefined, undefined]);
  expect(seen.at(-1)).toBe('last');
});

test('an error of the source comes through, also after silence', async () => {
  let fail!: (error: Error) => void;
  const later = new Promise<string>((_, reject) => (fail = reject));
  async function* source() {
    yield await later;
  }
  const values = orSilence(source(), 1);
  expect(await values.next()).toEqual({ done: false, value: undefined });
  fail(new Error('broken'));
  await expect(values.next()).rejects.toThrow('broken');
});

test('left while the source is waiting, it does not wait for it', async () => {
  async function* source() {
    yield await never;
  }
  const values = orSilence(source(), 1);
  await values.next();
  expect(await values.return(undefined)).toEqual({ done: true, value: undefined });
});
