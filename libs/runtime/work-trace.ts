import type { RecordedEvent } from '#libs/kernel';
import type { Append } from '#libs/store/port';
import type { Attempt } from './effect/attempt.js';

/** Follows the work of the consumers from one record to the next. It changes nothing of what is done. */
export interface WorkTrace {
  /**
   * Around one try to handle a record.
   * @param tries tries that failed before
   * @param work is told what to give for the cause of what the handler writes: the record, with the metadata to hand on
   */
  handling<Result>(
    consumer: string,
    record: RecordedEvent,
    tries: number,
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
  handling: (_consumer, record, _tries, work) => work(record),
  did: () => undefined,
  appended: () => undefined,
  attempt: (_effect, _attempt, work) => work(),
};
