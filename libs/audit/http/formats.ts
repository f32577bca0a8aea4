import { advanceTo, eventStreamStart, heartbeat, heartbeatInterval, orSilence, serverSentEvent } from '#libs/http';
import type { AuditBatch, LiveBatch } from '../audit.js';

/** One record a line. */
export async function* linesOf(batches: AsyncIterable<AuditBatch>): AsyncGenerator<string> {
  for await (const { items } of batches) {
    if (items.length > 0) yield items.map((item) => `${JSON.stringify(item)}\n`).join('');
  }
}

/**
 * One record an event, under its position. A client for which nothing is there moves on all the same, so that it does not
 * come back to where it began: with every batch of the history, and once it has caught up instead of a heartbeat.
 * @param after what the client has seen already
 * @param every how long it is silent at most, in milliseconds
 */
export async function* eventsOf(
  batches: AsyncIterable<LiveBatch>,
  after: bigint,
  every = heartbeatInterval,
): AsyncGenerator<string> {
  yield eventStreamStart;
  let reached: Pick<LiveBatch, 'position' | 'live'> = { position: after, live: false };
  let told = after;
  let toldAt = Date.now();
  for await (const batch of orSilence(batches, every)) {
    const isDue = batch === undefined || Date.now() - toldAt >= every;
    const wasCatchingUp = !reached.live;
    const items = batch?.items ?? [];
    reached = batch ?? reached;
    let text = items.map((item) => serverSentEvent(item.position, item)).join('');
    if (items.length > 0) told = BigInt(items.at(-1)!.position);
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
