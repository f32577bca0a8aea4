import { serverSentEvent, streamOfEvents, type EventBatch } from '#libs/http';
import type { AuditBatch, LiveBatch } from '../audit.js';

/** One record a line. */
export async function* linesOf(batches: AsyncIterable<AuditBatch>): AsyncGenerator<string> {
  for await (const { items } of batches) {
    if (items.length > 0) yield items.map((item) => `${JSON.stringify(item)}\n`).join('');
  }
}

/** One record an event, under its position; see `streamOfEvents`. */
export function eventsOf(batches: AsyncIterable<LiveBatch>, after: bigint, every?: number): AsyncGenerator<string> {
  return streamOfEvents(asEvents(batches), after, every);
}

async function* asEvents(batches: AsyncIterable<LiveBatch>): AsyncGenerator<EventBatch> {
  for await (const { items, position, live } of batches) {
    const events = items.map((item) => ({ position: item.position, text: serverSentEvent(item.position, item) }));
    yield { events, position, live };
  }
}
