import type { RecordedEvent } from '#libs/kernel';
import { StreamDeleted } from './errors.js';
import type { SubscriptionBatch } from './event-store.js';
import { tombstoneType } from './stream-metadata.js';
import type { Matcher, Tail } from './tail.js';

/** Records that are handed out at a time, at most. */
export const batchLimit = 500;

/** How far a subscription has got, and whether there is anything to tell. */
export class Progress {
  #live = false;

  constructor(public checkpoint: bigint) {}

  /** Undefined when there is nothing new to tell. */
  batch(events: readonly RecordedEvent[], checkpoint: bigint, live: boolean): SubscriptionBatch | undefined {
    const news = events.length > 0 || checkpoint > this.checkpoint || (live && !this.#live);
    this.checkpoint = checkpoint;
    this.#live = live;
    return news ? { events, checkpoint, live } : undefined;
  }
}

/** What following one stream takes. */
export interface Following {
  readonly tail: Tail;
  readonly stream: string;
  /** Revision; -1 for the start. */
  readonly after: bigint;
  readonly signal: AbortSignal | undefined;
  /** False once the store is closing. @throws StoreUnavailable when it failed */
  isOpen(): boolean;
  /** What stands from that revision on, and whether that is all there is; undefined: ask again. */
  read(from: bigint): Promise<{ readonly events: readonly RecordedEvent[]; readonly end: boolean } | undefined>;
}

/** Within the tail from there, behind it by reading the stream. @throws StreamDeleted on a tombstone; as `read` and `isOpen` */
export async function* followStream({
  tail,
  stream,
  after,
  signal,
  isOpen,
  read,
}: Following): AsyncGenerator<SubscriptionBatch, void, undefined> {
  const progress = new Progress(after);
  /** Everything of the stream up to this position is handed out; undefined while reading the stream. */
  let position: bigint | undefined;
  const matches: Matcher = (record) => record.stream === stream && record.revision > progress.checkpoint;
  while (isOpen() && !signal?.aborted) {
    const slice = position === undefined ? undefined : tail.after(position, matches, batchLimit);
    let events: readonly RecordedEvent[];
    if (slice !== undefined) {
      events = slice.events;
      position = slice.scanned;
    } else {
      const { head } = tail;
      const page = await read(progress.checkpoint + 1n);
      if (page === undefined) continue;
      events = page.events;
      position = page.end ? head : undefined;
    }
    if (signal?.aborted) return;
    if (events.at(-1)?.type === tombstoneType) throw new StreamDeleted(stream);
    const batch = progress.batch(events, events.at(-1)?.revision ?? progress.checkpoint, position === tail.head);
    if (batch !== undefined) yield batch;
    else if (position !== undefined) await tail.wait(position, matches, signal);
  }
}
