import { expect, test } from '@jest/globals';
import { Room } from './room.js';

const { signal } = new AbortController();

/** Work that begins, and goes on until it is let go. */
function workIn(room: Room, bytes: number, log: string[], name: string) {
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const done = room.hold(bytes, signal, async () => {
    log.push(name);
    await ended;
  });
  return { end, done };
}

test('what does not fit waits for its turn, and what needs no room does not', async () => {
  const room = new Room(10);
  const begun: string[] = [];
  const a = workIn(room, 6, begun, 'a');
  const b = workIn(room, 4, begun, 'b');
  const c = workIn(room, 5, begun, 'c');
  const d = workIn(room, 1, begun, 'd');
  const none = workIn(room, 0, begun, 'none');
  none.end();
  await none.done;
  expect(begun.sort()).toEqual(['a', 'b', 'none']);
  b.end();
  await b.done;
  expect(begun).not.toContain('d');
  a.end();
  for (const one of [c, d]) one.end();
  await Promise.all([a.done, c.done, d.done]);
  expect(begun.slice(3)).toEqual(['c', 'd']);
});

test('what is larger than all there is has it for itself', async () => {
  const room = new Room(10);
  const begun: string[] = [];
  const huge = workIn(room, 100, begun, 'huge');
  const small = workIn(room, 1, begun, 'small');
  huge.end();
  await huge.done;
  small.end();
  await small.done;
  expect(begun).toEqual(['huge', 'small']);
});

test('work that fails, and work that has become pointless, leave their room to others', async () => {
  const room = new Room(10);
  await expect(room.hold(10, signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(room.hold(10, AbortSignal.abort(new Error('over')), () => Promise.resolve(1))).rejects.toThrow('over');
  expect(await room.hold(10, signal, () => Promise.resolve(1))).toBe(1);
});
