import { categoryOf, type RecordedEvent } from '#libs/kernel';
import {
  matcherOf,
  StoreUnavailable,
  StreamDeleted,
  tombstoneType,
  type EventFilter,
  type Matcher,
  type SubscribeOptions,
  type SubscriptionBatch,
  type Tail,
} from '#libs/store/port';
import { NoAnswer } from './errors.js';
import { follow } from './following.js';
import { Pauses, type Live } from './live.js';
import { matchesNothing, readOnce } from './reads.js';
import type { Server } from './server.js';

const batchLimit = 500;

/** How far a subscription has got, and whether there is anything to tell. */
class Progress {
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

/** Within the tail from there, behind it by a subscription of its own, filtered by the server. Breaks are not seen outside. */
export async function* subscribeToAll(
  server: Server,
  live: Live,
  { after = 0n, filter, signal: wanted }: SubscribeOptions & { readonly filter?: EventFilter },
): AsyncGenerator<SubscriptionBatch, void, undefined> {
  server.checkOpen();
  const signal = wanted === undefined ? server.closing : AbortSignal.any([server.closing, wanted]);
  const tail = await unlessAborted(live.tail, signal);
  if (tail === undefined) return;
  const matches = matcherOf(filter);
  const progress = new Progress(after);
  while (!signal.aborted) {
    const position = progress.checkpoint;
    const slice = matchesNothing(filter)
      ? { events: [], scanned: tail.head }
      : tail.after(position, matches, batchLimit);
    if (slice === undefined) {
      yield* catchUp(server, tail, progress, filter, matches, signal);
      continue;
    }
    const batch = progress.batch(slice.events, max(slice.scanned, position), slice.scanned >= tail.head);
    if (batch !== undefined) yield batch;
    else await tail.wait(progress.checkpoint, matches, signal);
  }
}

async function* catchUp(
  server: Server,
  tail: Tail,
  progress: Progress,
  filter: EventFilter | undefined,
  matches: Matcher,
  signal: AbortSignal,
): AsyncGenerator<SubscriptionBatch, void, undefined> {
  const pauses = new Pauses();
  while (!signal.aborted) {
    const { client } = server;
    // What the process has seen is there, so whoever has caught up after this moment has passed it.
    const { head } = tail;
    try {
      for await (const followed of follow(server, client, progress.checkpoint, filter, signal)) {
        if (signal.aborted) return;
        pauses.reset();
        const wanted = followed.events.filter((record) => matches(record, categoryOf(record.stream)));
        const reached = max(followed.position ?? 0n, followed.caughtUp ? head : 0n);
        const batch = progress.batch(wanted, max(progress.checkpoint, reached), false);
        if (batch !== undefined) yield batch;
        if (tail.after(progress.checkpoint, matches, 1) !== undefined) return;
      }
    } catch (thrown) {
      if (!(thrown instanceof NoAnswer)) throw thrown;
      server.unanswered(client, thrown);
    }
    await pauses.next(signal);
  }
}

export async function* subscribeToStream(
  server: Server,
  live: Live,
  stream: string,
  { after = -1n, signal: wanted }: SubscribeOptions,
): AsyncGenerator<SubscriptionBatch, void, undefined> {
  server.checkOpen();
  const signal = wanted === undefined ? server.closing : AbortSignal.any([server.closing, wanted]);
  const tail = await unlessAborted(live.tail, signal);
  if (tail === undefined) return;
  const pauses = new Pauses();
  const progress = new Progress(after);
  /** Everything of the stream up to this position is handed out; undefined while reading from the server. */
  let position: bigint | undefined;
  const matches: Matcher = (record) => record.stream === stream && record.revision > progress.checkpoint;
  while (!signal.aborted) {
    const slice = position === undefined ? undefined : tail.after(position, matches, batchLimit);
    let events: readonly RecordedEvent[];
    if (slice !== undefined) {
      events = slice.events;
      position = slice.scanned;
    } else {
      const { head } = tail;
      try {
        const from = progress.checkpoint + 1n;
        events = await server.ask((client) => readOnce(server, client, stream, 'forwards', from, batchLimit));
      } catch (thrown) {
        if (!(thrown instanceof StoreUnavailable)) throw thrown;
        await pauses.next(signal);
        continue;
      }
      pauses.reset();
      position = events.length < batchLimit ? head : undefined;
    }
    if (signal.aborted) return;
    if (events.at(-1)?.type === tombstoneType) throw new StreamDeleted(stream);
    const batch = progress.batch(events, events.at(-1)?.revision ?? progress.checkpoint, position === tail.head);
    if (batch !== undefined) yield batch;
    else if (position !== undefined) await tail.wait(position, matches, signal);
  }
}

async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  if (signal.aborted) return undefined;
  let abort!: () => void;
  const aborted = new Promise<undefined>((resolve) => (abort = () => resolve(undefined)));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
