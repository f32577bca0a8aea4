import type { Decider, Message, MessageOf, StreamDefinition } from '#libs/kernel';
import { CorruptedIdempotency, WrongExpectedRevision } from '#libs/store/port';
import type { HandlerContext } from '../topology/access.js';
import { loadAggregate, type Loaded } from './cached-aggregates.js';

const mostTries = 10;

/**
 * A handler's write to an aggregate: decides on the state it is given, appends, and only where the stream is not there
 * (any more) loads the state and decides anew. New aggregates so cost no read, and a record that is handled again
 * finds its events written.
 *
 * @returns true when something was written, now or by an earlier run
 */
export async function decideAndAppend<
  Stream extends StreamDefinition,
  State,
  Event extends MessageOf<Stream> & Message,
>(
  context: HandlerContext<Stream, Stream>,
  stream: Stream,
  decider: Decider<State, never, Event>,
  key: string,
  assumed: Loaded<State>,
  decide: (state: State) => readonly Event[],
): Promise<boolean> {
  let { state, revision } = assumed;
  for (let tries = 1; ; tries += 1) {
    const events = decide(state);
    if (events.length === 0) return false;
    try {
      await context.append(context.write(stream, key, revision, events));
      return true;
    } catch (error) {
      const moved = error instanceof WrongExpectedRevision || error instanceof CorruptedIdempotency;
      if (!moved || tries === mostTries) throw error;
      ({ state, revision } = await loadAggregate(
        context,
        stream,
        decider as Decider<State, never, MessageOf<Stream> & Message>,
        key,
      ));
    }
  }
}
