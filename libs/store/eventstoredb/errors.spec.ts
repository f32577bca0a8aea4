import { expect, test } from '@jest/globals';
import { AppendTooLarge, StreamDeleted, WrongExpectedRevision } from '#libs/store/port';
import { isNotFound, NoAnswer, readError, writeError } from './errors.js';

const write = { stream: 'errors.tested-1', expected: 4n, bytes: 7 };

function error(message: string, more: Readonly<Record<string, unknown>> = {}): Error {
  return Object.assign(new Error(message), more);
}

test('what a write was answered', () => {
  const wrong = { type: 'wrong-expected-version' };
  expect(writeError(error('', { ...wrong, actualVersion: 5n }), write)).toEqual(
    new WrongExpectedRevision(write.stream, 4n, 5n),
  );
  expect(writeError(error('', { ...wrong, actualVersion: 'no_stream' }), write)).toMatchObject({ actual: 'noStream' });
  // Of a stream that is not there, where the server has numbers only.
  expect(writeError(error('', { ...wrong, actualVersion: -1n }), write)).toMatchObject({ actual: 'noStream' });
  expect(writeError(error('', { type: 'stream-deleted' }), write)).toEqual(new StreamDeleted(write.stream));
  expect(writeError(error('', { type: 'maximum-append-size-exceeded', maxAppendSize: 3 }), write)).toEqual(
    new AppendTooLarge(write.stream, 7, 3),
  );
});

test.each([
  ['an error of the client', error('14 UNAVAILABLE', { type: 'unavailable', code: 14 }), true],
  ['a connection that the server ends', error('1 CANCELLED', { type: 'cancelled', code: 1 }), true],
  ['a raw error of gRPC', error('13 INTERNAL: Received RST_STREAM with code 2', { code: 13 }), false],
  ['a deadline', error('4 DEADLINE_EXCEEDED', { type: 'deadline-exceeded', code: 4 }), false],
  ['a follower', error('5 NOT_FOUND: Leader info available', { type: 'not-leader', code: 5 }), false],
  ['a cluster without a leader', error('Failed to discover after 1 attempts.'), true],
  ['a text that was thrown', 'broken', true],
])('%s is no answer', (_, thrown, broken) => {
  for (const found of [readError(thrown, '$all'), writeError(thrown, write)]) {
    expect(found).toBeInstanceOf(NoAnswer);
    expect(found).toMatchObject({ broken });
  }
});

test('a follower is told by where the leader is', () => {
  const leader = { address: 'db2.example.com', port: 2113 };
  const follower = error('5 NOT_FOUND: Leader info available', { type: 'not-leader', code: 5, leader });
  expect(readError(follower, '$all').message).toBe('not the leader of its cluster, which is db2.example.com:2113');
});

test.each([
  ['by name', error('', { type: 'access-denied' })],
  ['by code', error('7 PERMISSION_DENIED', { type: 'unknown', code: 7 })],
])('who may not need not ask again at once: %s', (_, thrown) => {
  expect(readError(thrown, '$all')).toMatchObject({ broken: false, denied: true });
});

test('what asking again would not change is passed on', () => {
  const invalid = error('3 INVALID_ARGUMENT', { type: 'unknown', code: 3 });
  expect(readError(invalid, '$all')).toBe(invalid);
  const nowhere = error('2 UNKNOWN: Trying to read from an invalid position.', { type: 'unknown', code: 2 });
  expect(readError(nowhere, '$all')).toBeInstanceOf(RangeError);
  expect(isNotFound(error('', { type: 'stream-not-found' }))).toBe(true);
});
