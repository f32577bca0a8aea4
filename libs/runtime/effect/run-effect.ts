import type { Message, MessageOf, StreamDefinition } from '#libs/kernel';
import { StoreUnavailable, WrongExpectedRevision, type Append, type AppendResult } from '#libs/store/port';
import { loadAggregate } from '../aggregate/cached-aggregates.js';
import { pause } from '../consumer/pause.js';
import { RetryLater } from '../retry/retry-later.js';
import type { HandlerContext, KnownRevision } from '../topology/access.js';
import type { Attempt } from './attempt.js';
import { effectDecider, type DeliveryPolicy, type EffectState, type EffectTypes } from './effect.js';

export interface Effect<Stream extends StreamDefinition> {
  readonly context: HandlerContext<Stream, Stream>;
  /** The effect's own event stream: it holds claims and outcomes. */
  readonly stream: Stream;
  readonly key: string;
  readonly types: EffectTypes;
  /** No attempt is claimed later, milliseconds since the Unix epoch. */
  readonly notAfter: number;
  readonly delivery: DeliveryPolicy;
  /** Waits between attempts, in milliseconds; the last one repeats. */
  readonly delays: readonly number[];
  /**
   * When an attempt that is due may begin, milliseconds since the Unix epoch, where something paces it: not later than
   * `now` gives it its turn.
   */
  turn?(now: number): number;
  /** Makes one attempt; must not reject, but with `LeaseLost` where nothing has gone out. */
  perform(attempt: number): Promise<Attempt>;
}

/**
 * Sees an effect through one attempt: claims it, performs it, records its outcome. Does nothing when it is settled.
 * @throws RetryLater when an attempt is due later; LeaseLost where somebody else may see to it now
 */
export async function runEffect<Stream extends StreamDefinition>(effect: Effect<Stream>): Promise<void> {
  const { context, stream, key, notAfter, delivery, delays } = effect;
  const decider = effectDecider(effect.types);
  const limits = () => ({ now: context.now(), notAfter, delivery });
  // Most effects are new: claim first, read only when that fails.
  let state: EffectState = decider.initial();
  let revision: KnownRevision = 'noStream';

  const load = () =>
    loadAggregate<Stream, EffectState>(
      context,
      stream,
      { initial: () => decider.initial(), evolve: (before, event) => decider.evolve(before, event) },
      key,
    );

  /** Appends what `decide` answers, deciding anew when somebody else was quicker. False when it answers nothing. */
  async function record(decide: () => readonly Message[], ids: 'derived' | 'fresh'): Promise<boolean> {
    for (;;) {
      const messages = decide();
      if (messages.length === 0) return false;
      try {
        const append = context.write(stream, key, revision, messages as MessageOf<Stream>[], ids);
        const [result] = await appendDespiteOutage(context, append);
        revision = result!.revision;
        for (const message of messages) state = decider.evolve(state, message);
        return true;
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision)) throw error;
        ({ state, revision } = await load());
      }
    }
  }

  if (effect.turn) {
    // Turns are for attempts that will be made: not for an effect that is settled, or whose time is over.
    ({ state, revision } = await load());
    const now = context.now();
    const [next] = decider.decide(state, { type: 'begin', ...limits() });
    const turn = next?.type === effect.types.claimed ? effect.turn(now) : now;
    if (turn > now) throw new RetryLater(Math.min(turn, notAfter + 1), 'it is not its turn');
  }

  context.checkLease?.();
  // Fresh ids: two workers that claim the same attempt must not be taken for one.
  const begun = await record(() => decider.decide(state, { type: 'begin', ...limits() }), 'fresh');
  if (state.settled) return;
  if (!begun) throw new RetryLater(state.retryAt, 'the next attempt is not due');

  const { attempts: attempt } = state;
  // A process that was stopped in between sends nothing: the attempt is in doubt for whoever has taken over.
  context.checkLease?.();
  const result = await context.trace.attempt(stream.subsystem, attempt, () => effect.perform(attempt));
  await record(
    () =>
      'receipt' in result
        ? decider.decide(state, { type: 'succeed', attempt, receipt: result.receipt })
        : decider.decide(state, { type: 'fail', attempt, ...result, delays, ...limits() }),
    'derived',
  );
  if (!state.settled) throw new RetryLater(state.retryAt, `attempt ${attempt} failed`);
}

/** An outcome that is known must not be lost to an outage of the store: it would look like doubt afterwards. */
async function appendDespiteOutage(
  context: Pick<HandlerContext<never, never>, 'append' | 'signal'>,
  append: Append,
): Promise<readonly AppendResult[]> {
  for (let wait = 50; ; wait = Math.min(wait * 2, 5_000)) {
    try {
      return await context.append(append);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || error.final || context.signal.aborted) throw error;
      await pause(wait, context.signal);
    }
  }
}
