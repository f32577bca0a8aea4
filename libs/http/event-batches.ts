import { advanceTo, eventStreamStart, heartbeat, heartbeatInterval, orSilence } from './event-stream.js';

/** Some events of a stream, in order. */
export interface EventBatch {
  readonly events: readonly {
    readonly position: string;
    /** As it is sent. */
    readonly text: string;
  }[];
  /** Everything up to here has been looked at. */
  readonly position: bigint;
  /** Whether nothing more was there to look at. */
  readonly live: boolean;
}

/**
 * A stream of events under their positions. A client for which nothing is there moves on all the same, so that it does not
 * come back to where it began: with every batch of the history, and once it has caught up instead of a heartbeat.
 * @param after what the client has seen already
 * @param every how long it is silent at most, in milliseconds
 */
export async function* streamOfEvents(
  batches: AsyncIterable<EventBatch>,
  after: bigint,
  every = heartbeatInterval,
): AsyncGenerator<string> {
  yield eventStreamStart;
  let reached: Pick<EventBatch, 'position' | 'live'> = { position: after, live: false };
  let told = after;
  let toldAt = Date.now();
  for await (const batch of orSilence(batches, every)) {
    const isDue = batch === undefined || Date.now() - toldAt >= every;
    const wasCatchingUp = !reached.live;
    const events = batch?.events ?? [];
    reached = batch ?? reached;
    let text = events.map((event) => event.text).join('');
    if (events.length > 0) told = BigInt(events.at(-1)!.position);
    if (reached.position > told && (isDue || wasCatchingUp)) {
      told = reached.position;
      text += advanceTo(String(told));
    }
    if (text === '' && isDue) text = heartbeat;
    if (text === '') continue;
    toldAt = Date.now();
    yield text;
  }
}
