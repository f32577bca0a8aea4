import { categoryOf } from '#libs/kernel';
import {
  batchLimit,
  followStream,
  matcherOf,
  Progress,
  StoreUnavailable,
  type EventFilter,
  type Matcher,
  type SubscribeOptions,
  type SubscriptionBatch,
  type Tail,
} from '#libs/store/port';
import { NoAnswer } from './errors.js';
import { follow } from './following.js';
import { Pauses, type Live } from './live.js';
import { matchesNothing, readAll, readOnce } from './reads.js';
import type { Server } from './server.js';

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
  /** The position, where nothing that is wanted is left up to there; else 0. */
  async function emptyUpTo(position: bigint): Promise<bigint> {
    const from = progress.checkpoint;
    try {
      for await (const record of readAll(server, { from, ...(filter && { filter }) })) {
        if (record.position > from) return record.position > position ? position : 0n;
      }
      return position;
    } catch (thrown) {
      // Then the subscription breaks as well.
      if (thrown instanceof StoreUnavailable) return 0n;
      throw thrown;
    }
  }
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
        const passed = max(max(progress.checkpoint, reached), followed.quiet ? await emptyUpTo(tail.head) : 0n);
        const batch = progress.batch(wanted, passed, false);
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
  yield* followStream({
    tail,
    stream,
    after,
    signal,
    isOpen: () => true,
    async read(from) {
      try {
        const events = await server.ask((client) => readOnce(server, client, stream, 'forwards', from, batchLimit));
        pauses.reset();
        return { events, end: events.length < batchLimit };
      } catch (thrown) {
        if (!(thrown instanceof StoreUnavailable)) throw thrown;
        await pauses.next(signal);
        return undefined;
      }
    },
  });
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
