import type { MessageOf, StreamDefinition } from '#libs/kernel';
import { WrongExpectedRevision } from '#libs/store/port';
import { loadAggregate } from '../aggregate/cached-aggregates.js';
import { effectDecider, type EffectState } from './effect.js';
import type { Effect } from './run-effect.js';

/**
 * Keeps an effect from being attempted (again). It competes with the claim for one revision of the effect's stream, so
 * exactly one of the two is written.
 * @returns false while an attempt is under way: it runs to its end, and is not repeated where it is cancelled after that
 */
export async function cancelEffect<Stream extends StreamDefinition>({
  context,
  stream,
  key,
  types,
}: Pick<Effect<Stream>, 'context' | 'stream' | 'key' | 'types'>): Promise<boolean> {
  const decider = effectDecider(types);
  for (;;) {
    const { state, revision } = await loadAggregate<Stream, EffectState>(
      context,
      stream,
      { initial: () => decider.initial(), evolve: (before, event) => decider.evolve(before, event) },
      key,
    );
    const messages = decider.decide(state, { type: 'cancel' });
    if (messages.length === 0) return state.settled;
    try {
      await context.append(context.write(stream, key, revision, messages as MessageOf<Stream>[]));
      return true;
    } catch (error) {
      // An attempt was claimed meanwhile, or had its outcome.
      if (!(error instanceof WrongExpectedRevision)) throw error;
    }
  }
}
