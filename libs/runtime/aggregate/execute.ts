import {
  deriveId,
  newId,
  streamName,
  type Decider,
  type Message,
  type MessageOf,
  type StreamDefinition,
} from '#libs/kernel';
import { WrongExpectedRevision } from '#libs/store/port';
import type { ClientContext } from '../topology/access.js';
import { loadAggregate, type Loaded } from './cached-aggregates.js';

const mostTries = 10;

export interface Executed<State> extends Loaded<State> {
  /** Position of the aggregate's last event; undefined where there is none, or the store does not tell. */
  readonly position: bigint | undefined;
  readonly written: boolean;
}

/**
 * A decided write: loads the aggregate, decides, appends at the revision it was decided on. Decided anew when somebody
 * else was quicker, unless the caller named the revision.
 * @throws Refused, WrongExpectedRevision
 */
export async function execute<Stream extends StreamDefinition, State, Command>(
  client: ClientContext<Stream, Stream>,
  stream: Stream,
  decider: Decider<State, Command, MessageOf<Stream> & Message>,
  key: string,
  command: Command,
  ifRevision?: bigint | 'noStream',
): Promise<Executed<State>> {
  const cause = newId();
  for (let tries = 1; ; tries += 1) {
    const { state, revision, position } = await loadAggregate(client, stream, decider, key);
    if (ifRevision !== undefined && ifRevision !== revision) {
      throw new WrongExpectedRevision(streamName(stream, key), ifRevision, revision);
    }
    const events = decider.decide(state, command);
    if (events.length === 0) return { state, revision, position, written: false };
    const first = revision === 'noStream' ? 0n : revision + 1n;
    const ids = events.map((_, index) => deriveId(cause, streamName(stream, key), first + BigInt(index)));
    try {
      const result = await client.append(stream, key, revision, events, { correlationId: key, ids });
      return {
        state: events.reduce((before, event) => decider.evolve(before, event), state),
        revision: result.revision,
        position: result.position,
        written: true,
      };
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision) || ifRevision !== undefined || tries === mostTries) throw error;
    }
  }
}
