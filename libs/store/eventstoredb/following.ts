import type { AllStreamResolvedEvent, AllStreamSubscription } from '@eventstore/db-client';
import type { RecordedEvent } from '#libs/kernel';
import type { EventFilter } from '#libs/store/port';
import type { Client } from './client.js';
import { NoAnswer, readError } from './errors.js';
import { recordOf } from './record.js';
import { within, type Server } from './server.js';

/** Records that the server looks at before it says how far it is. */
const checkpointEvery = 500;
const batchLimit = 500;

/** What one subscription of the server hands out at a time. */
export interface Followed {
  /** Some of which the filter may not want: see `serverFilter`. */
  readonly events: readonly RecordedEvent[];
  /** Everything up to here has been handed out; undefined where that is not known. */
  readonly position: bigint | undefined;
  /** The server has said that nothing was left. */
  readonly caughtUp: boolean;
  /** Nothing has come for a while: servers before version 23.10 do not say that nothing is left. */
  readonly quiet: boolean;
}

/** Put between the events by the client's callbacks, which come in the order of the stream. */
type Marker = { readonly checkpoint: bigint } | { readonly caughtUp: true } | { readonly quiet: true };

/** Milliseconds. */
const quietAfter = 1_000;

/**
 * Subscribes once, after a position. Ends with the signal, and fails when the connection breaks: the client does not
 * resume by itself.
 * @throws NoAnswer
 */
export async function* follow(
  server: Server,
  client: Client,
  after: bigint,
  filter: EventFilter | undefined,
  signal: AbortSignal,
): AsyncGenerator<Followed, void, undefined> {
  const subscription = subscribe(client, after, filter);
  const stop = () => subscription.destroy();
  signal.addEventListener('abort', stop, { once: true });
  let watch: NodeJS.Timeout | undefined;
  try {
    await within(confirmed(subscription), server.tuning.answerWithin);
    server.answered();
    watch = setInterval(() => {
      if (subscription.readableLength === 0) mark(subscription, { quiet: true });
    }, quietAfter);
    for await (const followed of batchesOf(subscription)) {
      watch.refresh();
      yield followed;
    }
  } catch (thrown) {
    if (!signal.aborted) throw readError(thrown, '$all');
  } finally {
    clearInterval(watch);
    signal.removeEventListener('abort', stop);
    subscription.unsubscribe().catch(() => undefined);
    subscription.destroy();
  }
}

function subscribe(client: Client, after: bigint, filter: EventFilter | undefined): AllStreamSubscription {
  const readable = { highWaterMark: batchLimit };
  const fromPosition = after > 0n ? { commit: after, prepare: after } : ('start' as const);
  const narrow = filter && serverFilter(filter);
  const subscription = client.subscribeToAll(
    {
      fromPosition,
      ...(narrow && {
        filter: {
          ...narrow,
          maxSearchWindow: checkpointEvery,
          checkpointInterval: 1,
          checkpointReached: (_, { commit }) => mark(subscription, { checkpoint: commit }),
        },
      }),
    },
    readable,
  );
  subscription.on('caughtUp', () => mark(subscription, { caughtUp: true }));
  // An error that comes when nobody listens any more would end the process.
  subscription.on('error', () => undefined);
  return subscription;
}

function mark(subscription: AllStreamSubscription, marker: Marker): void {
  if (!subscription.readableEnded && !subscription.destroyed) subscription.push(marker);
}

/**
 * The server takes one condition, by prefixes: one is given to it, and whoever follows looks at the rest. A
 * category is a prefix of its streams, and of those of some others.
 */
function serverFilter({ streamPrefixes, categories, types }: EventFilter) {
  const streams = streamPrefixes ?? categories;
  return streams === undefined
    ? { filterOn: 'eventType' as const, prefixes: [...(types ?? [''])] }
    : { filterOn: 'streamName' as const, prefixes: [...streams] };
}

function confirmed(subscription: AllStreamSubscription): Promise<void> {
  return new Promise((resolve, reject) => {
    subscription.once('confirmation', resolve);
    subscription.once('error', reject);
    subscription.once('close', () => reject(new NoAnswer('the subscription ended', true)));
  });
}

async function* batchesOf(subscription: AllStreamSubscription): AsyncGenerator<Followed, void, undefined> {
  let events: RecordedEvent[] = [];
  let position: bigint | undefined;
  /** The checkpoint told last. It counts once another comes: some versions tell that of a record that is still to come. */
  let told: bigint | undefined;
  let [caughtUp, quiet] = [false, false];
  let taken = 0;
  /** Some versions go on telling a checkpoint that has long been passed. */
  const reach = (reached: bigint | undefined) => {
    if (reached !== undefined && (position === undefined || reached > position)) position = reached;
  };
  for await (const item of subscription as AsyncIterable<AllStreamResolvedEvent | Marker>) {
    taken += 1;
    if ('checkpoint' in item) {
      if (told !== undefined && told < item.checkpoint) reach(told);
      told = item.checkpoint;
    } else if ('caughtUp' in item) caughtUp = true;
    else if ('quiet' in item) quiet = true;
    else {
      const record = item.event && recordOf(item.event, item.commitPosition);
      reach(record?.position ?? item.commitPosition);
      if (record !== undefined) events.push(record);
    }
    if (subscription.readableLength > 0 && taken < batchLimit) continue;
    yield { events, position, caughtUp, quiet };
    events = [];
    [caughtUp, quiet] = [false, false];
    taken = 0;
  }
  throw new NoAnswer('the server ended the subscription', true);
}
