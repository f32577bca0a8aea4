import { categoryOf, correlationOf, messageOf, parse, type RecordedEvent, type StreamDefinition } from '#libs/kernel';
import { StoreUnavailable } from '#libs/store/port';
import { LeaseLost, type Lease } from '../lease/lease.js';
import type { Parked } from '../parking/parked.js';
import type { Retries } from '../retry/retries.js';
import { verdictOn, type Verdict } from '../retry/retry-later.js';
import type { FailedTry, RecordRef, RetryScheduled } from '../streams.js';
import { RecordContext, type StreamAccess } from '../topology/access.js';
import type { AnyHandler, Deferred, Handle } from '../topology/handler.js';
import type { WorkTrace } from '../work-trace.js';
import type { Ticket } from './low-water-mark.js';
import { pause } from './pause.js';
import type { ConsumerLog } from './status.js';

const shortestHold = 100;
const longestHold = 5_000;
/** Characters of an error's text that are kept. */
const longestError = 500;

export interface Item {
  readonly record: RecordedEvent;
  /** Set for a record that comes from the subscription. */
  readonly ticket?: Ticket;
  /** Set for a record that comes from the retry stream. */
  readonly entry?: RetryScheduled;
}

export interface ProcessorParts {
  readonly handler: AnyHandler;
  readonly handle: Handle<RecordedEvent, RecordContext>;
  readonly access: StreamAccess;
  readonly retries: Retries;
  readonly parked: Parked;
  /** Aborted when the consumer stops. */
  readonly signal: AbortSignal;
  readonly lease: Lease | undefined;
  readonly now: () => number;
  readonly log: ConsumerLog;
  readonly trace: WorkTrace;
  /** Called when the record needs nothing more, or is safe in the retry or parked stream. */
  readonly finish: (ticket: Ticket) => void;
  /** Hands the item out again, behind what waits in its flow. */
  readonly handOut: (item: Item) => void;
  /** Called when bookkeeping failed for good. */
  readonly fail: (error: unknown) => void;
}

/** Sees one record through: has it handled, tried again by the handler's retry policy, or set aside. */
export class RecordProcessor {
  /** Records handled. */
  handled = 0;
  /** Records whose last effect is still to come. */
  deferred = 0;
  lastError: FailedTry | undefined;
  private readonly definitions: ReadonlyMap<string, StreamDefinition>;

  constructor(private readonly parts: ProcessorParts) {
    this.definitions = new Map(parts.handler.reads.map((stream) => [stream.category, stream]));
  }

  /** Does not reject. A record that is not done when the consumer stops is handed out again after a restart. */
  async process(item: Item): Promise<void> {
    try {
      if (await this.isItsTurn(item)) await this.tryUntilSettled(item);
    } catch (error) {
      this.parts.fail(error);
    }
  }

  private async isItsTurn({ record, ticket, entry }: Item): Promise<boolean> {
    const { retries, parked } = this.parts;
    if (entry !== undefined) return retries.isCurrent(entry);
    const flow = correlationOf(record);
    // Set aside before a restart, and handed out again since the checkpoint was older.
    const setAside = retries.has(record) || parked.has(record);
    if (!setAside && !retries.blocks(flow)) return true;
    if (!setAside) await retries.schedule({ record: refOf(record), correlationId: flow, dueAt: null, tries: [] });
    this.finish(ticket);
    return false;
  }

  private async tryUntilSettled(item: Item): Promise<void> {
    const { signal } = this.parts;
    for (let tries = 1, hold = shortestHold; !signal.aborted;) {
      let deferred: Deferred | void;
      try {
        deferred = await this.run(item, tries);
      } catch (error) {
        // Whoever has the lease now handles it.
        if (signal.aborted || error instanceof LeaseLost) return;
        const verdict = this.judge(item, error, tries);
        if (verdict.action === 'hold') {
          await pause(hold, signal);
          hold = Math.min(hold * 2, longestHold);
        } else if (verdict.action === 'again') {
          await pause(verdict.after, signal);
          tries += 1;
        } else {
          await this.setAside(item, error, verdict);
          return;
        }
        continue;
      }
      if (deferred) this.await(deferred, item);
      else await this.done(item);
      return;
    }
  }

  private run({ record, entry }: Item, tries: number): Promise<Deferred | void> {
    const { handler, access, handle, signal, now, lease, trace } = this.parts;
    const definition = this.definitions.get(categoryOf(record.stream))!;
    const tried = { failed: (entry?.tries.length ?? 0) + tries - 1, again: entry !== undefined };
    return trace.handling(handler.name, record, tried, async (cause) => {
      const context = new RecordContext(access, cause, correlationOf(record), signal, now, trace, lease);
      return handle(parse(definition, record), context);
    });
  }

  private await({ settled }: Deferred, item: Item): void {
    this.deferred += 1;
    settled
      .then(
        (done) => (done ? this.done(item) : undefined),
        (error: unknown) => this.deferredFailed(item, error),
      )
      .catch((error: unknown) => this.parts.fail(error))
      .finally(() => (this.deferred -= 1));
  }

  private async deferredFailed(item: Item, error: unknown): Promise<void> {
    const { signal, handOut } = this.parts;
    if (signal.aborted || error instanceof LeaseLost) return;
    const verdict = this.judge(item, error, Infinity);
    if (verdict.action === 'later' || verdict.action === 'park') return this.setAside(item, error, verdict);
    await pause(longestHold, signal);
    handOut(item);
  }

  private judge({ record, entry }: Item, error: unknown, tries: number): Verdict {
    const { handler, log, now } = this.parts;
    if (error instanceof StoreUnavailable && error.final) throw error;
    const verdict = verdictOn(error, tries, entry?.tries.length ?? 0, handler.retry, now());
    if (verdict.action !== 'later' || verdict.counts) {
      this.lastError = { at: now(), error: messageOf(error) };
      log.failed(handler.name, record, error, verdict.action);
    }
    return verdict;
  }

  private async done({ record, ticket, entry }: Item): Promise<void> {
    const { parked, retries } = this.parts;
    this.handled += 1;
    if (entry !== undefined) {
      // Still parked when the process was killed while the record was parked or redriven.
      await parked.release(record, 'redriven');
      await retries.end(entry, 'handled');
    }
    this.finish(ticket);
  }

  private async setAside(
    { record, ticket, entry }: Item,
    error: unknown,
    verdict: Extract<Verdict, { action: 'later' | 'park' }>,
  ): Promise<void> {
    const { retries, parked, now } = this.parts;
    const before = entry?.tries ?? [];
    const counts = verdict.action === 'park' || verdict.counts;
    const failure = { at: now(), error: messageOf(error).slice(0, longestError) };
    const failed = {
      record: refOf(record),
      correlationId: correlationOf(record),
      tries: counts ? [...before, failure] : before,
    };
    if (verdict.action === 'later') {
      await retries.schedule({ ...failed, dueAt: verdict.dueAt });
    } else {
      retries.block(failed);
      await parked.park(failed);
      // Whoever redrives it while it is being parked has scheduled it anew.
      if (entry !== undefined && retries.isCurrent(entry)) await retries.end(entry, 'parked');
    }
    this.finish(ticket);
  }

  private finish(ticket: Ticket | undefined): void {
    if (ticket !== undefined) this.parts.finish(ticket);
  }
}

function refOf(record: RecordedEvent): RecordRef {
  const { id, type, stream } = record;
  return { id, type, stream, revision: String(record.revision), position: String(record.position) };
}
