import type { RecordOf } from '#libs/kernel';
import type { FailedTry, runtimeParked, runtimeRetries } from '#libs/runtime';
import { rfc3339 } from '../consumers.js';

/** What a consumer's bookkeeping says of records. */
export type Bookkeeping = Exclude<
  RecordOf<typeof runtimeRetries> | RecordOf<typeof runtimeParked>,
  { readonly data: { readonly epoch: number } }
>;

/** `waiting` waits behind another record of its flow. */
export type HandlingState = 'pending' | 'waiting' | 'retrying' | 'parked' | 'archived' | 'handled';

export interface Transition {
  readonly type: 'pending' | 'failed' | 'retryScheduled' | 'waiting' | 'parked' | 'redriven' | 'archived' | 'handled';
  /** RFC 3339; null where only the checkpoint tells that it has happened. */
  readonly at: string | null;
  /** Of a failed try. */
  readonly error?: string;
  /** Of a retry: not before, RFC 3339. */
  readonly dueAt?: string;
}

export interface Handling {
  readonly state: HandlingState;
  /** In the order in which they happened. */
  readonly transitions: readonly Transition[];
}

/**
 * What one consumer did with one record.
 * @param created when the record was appended, milliseconds since the Unix epoch
 * @param bookkeeping what the consumer's retry and parked streams say of it, in order
 * @param isPassed whether the consumer's position is past the record
 */
export function foldHandling(created: number, bookkeeping: readonly Bookkeeping[], isPassed: boolean): Handling {
  const fold = new Fold(created);
  for (const entry of bookkeeping) fold.apply(entry);
  return fold.result(isPassed);
}

class Fold {
  private state: HandlingState = 'pending';
  private readonly transitions: Transition[];
  private triesTold = 0;
  private isScheduled = false;

  constructor(created: number) {
    this.transitions = [{ type: 'pending', at: rfc3339(created) }];
  }

  apply(entry: Bookkeeping): void {
    const at = rfc3339(entry.created);
    switch (entry.type) {
      case 'runtime.retry-scheduled.v1': {
        const { tries, dueAt } = entry.data;
        this.isScheduled = true;
        // A redrive is a schedule without tries; its own record comes a little later.
        if (this.state === 'parked' && tries.length === 0) return this.enter('retrying', { type: 'redriven', at });
        this.fail(tries);
        return dueAt === null
          ? this.enter('waiting', { type: 'waiting', at })
          : this.enter('retrying', { type: 'retryScheduled', at, dueAt: rfc3339(dueAt) });
      }
      case 'runtime.retry-ended.v1':
        this.isScheduled = false;
        // That it was parked, the parked stream says.
        if (entry.data.outcome === 'handled') this.enter('handled', { type: 'handled', at });
        return;
      case 'runtime.record-parked.v1':
        this.fail(entry.data.tries);
        return this.enter('parked', { type: 'parked', at });
      case 'runtime.record-redriven.v1':
        if (this.state === 'parked') this.enter('retrying', { type: 'redriven', at });
        return;
      case 'runtime.record-archived.v1':
        return this.enter('archived', { type: 'archived', at });
    }
  }

  result(isPassed: boolean): Handling {
    const isOpen = this.isScheduled || this.state === 'parked' || this.state === 'archived';
    if (!isOpen && isPassed && this.state !== 'handled') this.enter('handled', { type: 'handled', at: null });
    return { state: this.state, transitions: this.transitions };
  }

  private enter(state: HandlingState, transition: Transition): void {
    this.state = state;
    this.transitions.push(transition);
    if (transition.type === 'redriven') this.triesTold = 0;
  }

  private fail(tries: readonly FailedTry[]): void {
    for (const { at, error } of tries.slice(this.triesTold)) {
      this.transitions.push({ type: 'failed', at: rfc3339(at), error });
    }
    this.triesTold = tries.length;
  }
}
