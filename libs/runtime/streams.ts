import { defineStream, type Schema } from '#libs/kernel';

/** Where a record stands, for finding it again. Revisions and positions are decimal strings. */
export interface RecordRef {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: string;
  readonly position: string;
}

/** One failed try. `at` in milliseconds since the Unix epoch. */
export interface FailedTry {
  readonly at: number;
  readonly error: string;
}

export interface CheckpointReached {
  /** Every record up to this position has been handled, or stands in the retry or parked stream. */
  readonly position: string;
}

export interface RetryScheduled {
  readonly record: RecordRef;
  readonly correlationId: string;
  /** Not handed out earlier, milliseconds since the Unix epoch; null: waits behind another record of its flow. */
  readonly dueAt: number | null;
  readonly tries: readonly FailedTry[];
}

export interface RetryEnded {
  readonly recordId: string;
  readonly outcome: 'handled' | 'parked';
}

export interface RecordParked {
  readonly record: RecordRef;
  readonly correlationId: string;
  readonly tries: readonly FailedTry[];
}

export interface RecordUnparked {
  readonly recordId: string;
}

export interface TimerScheduled {
  /** Milliseconds since the Unix epoch. */
  readonly dueAt: number;
  /** What it is for: handlers react to the purposes they know. */
  readonly purpose: string;
}

export interface TimerEnded {
  readonly purpose: string;
}

/** Data that only the runtime writes: a missing field shows as a bug in the runtime, not as bad input. */
function internal<Data>(...fields: readonly (keyof Data & string)[]): Schema<Data> {
  return {
    problems: (data) =>
      typeof data === 'object' && data !== null
        ? fields.filter((field) => !(field in data)).map((field) => `${field} is missing`)
        : ['not an object'],
  };
}

/** One stream a consumer: how far it is. */
export const runtimeCheckpoints = defineStream('runtime', 'checkpoint', {
  'runtime.checkpoint-reached.v1': internal<CheckpointReached>('position'),
});

/** One stream a consumer: the records it will try again. */
export const runtimeRetries = defineStream('runtime', 'retry', {
  'runtime.retry-scheduled.v1': internal<RetryScheduled>('record', 'correlationId', 'dueAt', 'tries'),
  'runtime.retry-ended.v1': internal<RetryEnded>('recordId', 'outcome'),
});

/** One stream a consumer: the records it has given up, until somebody redrives or archives them. */
export const runtimeParked = defineStream('runtime', 'parked', {
  'runtime.record-parked.v1': internal<RecordParked>('record', 'correlationId', 'tries'),
  'runtime.record-redriven.v1': internal<RecordUnparked>('recordId'),
  'runtime.record-archived.v1': internal<RecordUnparked>('recordId'),
});

/** One stream a timer; it ends with the one event that wins its revision 1. */
export const runtimeTimers = defineStream('runtime', 'timer', {
  'runtime.timer-scheduled.v1': internal<TimerScheduled>('dueAt', 'purpose'),
  'runtime.timer-fired.v1': internal<TimerEnded>('purpose'),
  'runtime.timer-cancelled.v1': internal<TimerEnded>('purpose'),
});
