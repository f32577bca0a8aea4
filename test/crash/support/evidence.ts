import { expect } from '@jest/globals';
import { categoryOf, correlationOf, keyOf, type RecordedEvent } from '#libs/kernel';
import { bookkeepingKey, partitionOf, partitionsOf, unsplit } from '#libs/runtime';
import { topology } from '#streams.config';

/** Stored types that end a notification. */
export const terminalTypes: ReadonlySet<string> = new Set([
  'notification.sent.v1',
  'notification.partially-sent.v1',
  'notification.failed.v1',
  'notification.opted-out.v1',
  'notification.expired.v1',
  'notification.cancelled.v1',
]);

/** Every stream is gapless and holds each event id once. */
export function expectWholeStreams(records: readonly RecordedEvent[]): void {
  const seen = new Set<string>();
  const next = new Map<string, bigint>();
  for (const { stream, id, revision, type } of records) {
    expect({ stream, type, revision }).toEqual({ stream, type, revision: next.get(stream) ?? 0n });
    next.set(stream, revision + 1n);
    seen.add(`${stream} ${id}`);
  }
  expect(seen.size).toBe(records.length);
}

/** The notification was sent and concluded once, and its view and snapshot say what its events say. */
export function expectSentOnce(records: readonly RecordedEvent[], id: string): void {
  const own = records.filter((record) => correlationOf(record) === id);
  const of = (category: string) => own.filter((record) => categoryOf(record.stream) === category);
  const typesOf = (category: string) => of(category).map(({ type }) => type);
  const events = of('notification.event');
  const { revision } = events.at(-1)!;
  expect({
    id,
    operations: of('notification.clientOperation').length,
    terminal: typesOf('notification.event').filter((type) => terminalTypes.has(type)),
    sagas: of('notification.saga').length,
    emailOperations: of('email.operation').length,
    outcomes: typesOf('email.event').filter((type) => type === 'email.sent.v1' || type === 'email.failed.v1'),
    pendingTimers: typesOf('runtime.timer').reduce(
      (left, type) => left + (type === 'runtime.timer-scheduled.v1' ? 1 : -1),
      0,
    ),
    snapshots: of('notification.snapshot').map(({ data }) => data),
    // Of the version that was built last: the streams of those before it may be gone.
    view: own.findLast(({ type }) => type === 'notification.view.v1')?.data,
  }).toEqual({
    id,
    operations: 1,
    terminal: ['notification.sent.v1'],
    sagas: 1,
    emailOperations: 1,
    outcomes: ['email.sent.v1'],
    pendingTimers: 0,
    snapshots: [
      expect.objectContaining({ revision: String(revision), state: expect.objectContaining({ status: 'sent' }) }),
    ],
    view: expect.objectContaining({ status: 'sent', revision: Number(revision) }),
  });
}

/** No record waits to be tried again or was given up, and no consumer stays behind the records of this notification. */
export function expectNothingStuck(records: readonly RecordedEvent[], lastId: string): void {
  const retried = new Set<string>();
  for (const { type, data } of records) {
    if (type === 'runtime.retry-scheduled.v1') retried.add((data as { record: { id: string } }).record.id);
    if (type === 'runtime.retry-ended.v1') retried.delete((data as { recordId: string }).recordId);
  }
  expect([...retried]).toEqual([]);
  expect(records.filter(({ type }) => type === 'runtime.record-parked.v1')).toEqual([]);
  const fixed = records.find(({ type }) => type === 'runtime.partitions-fixed.v1');
  const split =
    fixed === undefined ? unsplit : { ...unsplit, generation: 1, count: (fixed.data as { count: number }).count };

  for (const handler of topology.handlers) {
    const { name, reads } = handler;
    const key = bookkeepingKey(handler, partitionOf(lastId, partitionsOf(handler, split.count)), split);
    const categories = new Set(reads.map(({ category }) => category));
    const duty = records.findLast(
      (record) => correlationOf(record) === lastId && categories.has(categoryOf(record.stream)),
    );
    if (duty === undefined) continue;
    const checkpoint = records.findLast(
      ({ stream }) => categoryOf(stream) === 'runtime.checkpoint' && keyOf(stream) === key,
    );
    const position = BigInt((checkpoint!.data as { position: string }).position);
    expect({ name, caughtUp: position >= duty.position }).toEqual({ name, caughtUp: true });
  }
}
