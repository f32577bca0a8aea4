import type { RecordedEvent } from '#libs/kernel';
import type { Append } from '#libs/store/port';
import type { Attempt } from './effect/attempt.js';

/** Which try to handle a record it is. */
export interface Try {
  /** Tries before it that failed. */
  readonly failed: number;
  /** The record comes from the retry stream: it is tried again, or redriven. */
  readonly again: boolean;
}

/** Follows the work of the consumers from one record to the next. It changes nothing of what is done. */
export interface WorkTrace {
  /**
   * Around one try to handle a record.
   * @param work is told what to give for the cause of what the handler writes: the record, with the metadata to hand on
   */
  handling<Result>(
    consumer: string,
    record: RecordedEvent,
    tried: Try,
    work: (cause: RecordedEvent) => Promise<Result>,
  ): Promise<Result>;
  /** Within `handling`, after something that is no append and no attempt: `removed`. */
  did(what: string): void;
  /** Within `handling`, after the handler's appends. */
  appended(appends: readonly Append[]): void;
  /**
   * Around one attempt at an effect.
   * @param effect whose it is: `email`
   */
  attempt(effect: string, attempt: number, work: () => Promise<Attempt>): Promise<Attempt>;
}

/** Follows nothing. */
export const untraced: WorkTrace = {
  handling: (_consumer, record, _tried, work) => work(record),
  did: () => undefined,
  appended: () => undefined,
  attempt: (_effect, _attempt, work) => work(),
};
