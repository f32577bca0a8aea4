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
}

/** Put between the events by the client's callbacks, which come in the order of the stream. */
type Marker = { readonly checkpoint: bigint } | { readonly caughtUp: true };

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
  try {
    await within(confirmed(subscription), server.tuning.answerWithin);
    server.answered();
    yield* batchesOf(subscription);
  } catch (thrown) {
    if (!signal.aborted) throw readError(thrown, '$all');
  } finally {
    signal.removeEventListener('abort', stop);
    subscription.unsubscribe().catch(() => undefined);
    subscription.destroy();
  }
}

function subscribe(client: Client, after: bigint, filter: EventFilter | undefined): AllStreamSubscription {
  const readable = { highWaterMark: batchLimit };
  const fromPosition = after > 0n ? { commit: after, prepare: after } : ('start' as const);
  const mark = (marker: Marker) => void subscription.push(marker);
  const narrow = filter && serverFilter(filter);
  const subscription = client.subscribeToAll(
    {
      fromPosition,
      ...(narrow && {
        filter: {
          ...narrow,
          maxSearchWindow: checkpointEvery,
          checkpointInterval: 1,
          checkpointReached: (_, { commit }) => mark({ checkpoint: commit }),
        },
      }),
    },
    readable,
  );
  subscription.on('caughtUp', () => mark({ caughtUp: true }));
  // An error that comes when nobody listens any more would end the process.
  subscription.on('error', () => undefined);
  return subscription;
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
  let caughtUp = false;
  let taken = 0;
  for await (const item of subscription as AsyncIterable<AllStreamResolvedEvent | Marker>) {
    taken += 1;
    if ('checkpoint' in item) position = item.checkpoint;
    else if ('caughtUp' in item) caughtUp = true;
    else {
      const record = item.event && recordOf(item.event, item.commitPosition);
      position = record?.position ?? item.commitPosition ?? position;
      if (record !== undefined) events.push(record);
    }
    if (subscription.readableLength > 0 && taken < batchLimit) continue;
    yield { events, position, caughtUp };
    events = [];
    caughtUp = false;
    taken = 0;
  }
  throw new NoAnswer('the server ended the subscription', true);
}
