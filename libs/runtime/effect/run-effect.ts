import type { Message, MessageOf, StreamDefinition } from '#libs/kernel';
import { StoreUnavailable, WrongExpectedRevision, type Append, type AppendResult } from '#libs/store/port';
import { loadAggregate } from '../aggregate/cached-aggregates.js';
import { pause } from '../consumer/pause.js';
import { RetryLater } from '../retry/retry-later.js';
import type { HandlerContext, KnownRevision } from '../topology/access.js';
import { effectDecider, type DeliveryPolicy, type EffectState, type EffectTypes } from './effect.js';

/** What an attempt came to. */
export type Attempt =
  | { readonly receipt: unknown }
  | {
      readonly failure: unknown;
      readonly kind: 'transient' | 'permanent' | 'recipientErased';
      readonly doubtful: boolean;
    };

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
  /** Makes one attempt; must not reject. */
  perform(attempt: number): Promise<Attempt>;
}

/**
 * Sees an effect through one attempt: claims it, performs it, records its outcome. Does nothing when it is settled.
 * @throws RetryLater when another attempt is due later
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
      { initial: () => decider.initial(), evolve: (before, event) => decider.evolve(before, event as Message) },
      key,
    );

  async function record(messages: readonly Message[], ids: 'derived' | 'fresh'): Promise<void> {
    const append = context.write(stream, key, revision, messages as MessageOf<Stream>[], ids);
    const [result] = await appendDespiteOutage(context, append);
    revision = result!.revision;
    for (const message of messages) state = decider.evolve(state, message);
  }

  for (let claimed = false; !claimed;) {
    const messages = decider.decide(state, { type: 'begin', ...limits() });
    if (messages.length === 0 && !state.settled) throw new RetryLater(state.retryAt, 'the next attempt is not due');
    if (messages.length === 0) return;
    try {
      // Fresh ids: two workers that claim the same attempt must not be taken for one.
      await record(messages, 'fresh');
      claimed = true;
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision)) throw error;
      ({ state, revision } = await load());
    }
  }
  if (state.settled) return;

  const attempt = await effect.perform(state.attempts);
  const outcome =
    'receipt' in attempt
      ? decider.decide(state, { type: 'succeed', receipt: attempt.receipt })
      : decider.decide(state, { type: 'fail', ...attempt, delays, ...limits() });
  await record(outcome, 'derived');
  if (!state.settled) throw new RetryLater(state.retryAt, `attempt ${state.attempts} failed`);
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
