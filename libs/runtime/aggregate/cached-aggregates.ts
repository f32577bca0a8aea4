import { LRUCache } from 'lru-cache';
import type { Subscription } from 'rxjs';
import {
  categoryOf,
  InvalidRecord,
  keyOf,
  parse,
  type Decider,
  type Message,
  type MessageOf,
  type RecordedEvent,
  type StreamDefinition,
} from '#libs/kernel';
import type { LiveFeed } from '../live/live-feed.js';
import type { KnownRevision, StreamReader } from '../topology/access.js';

const pageSize = 200;

/** An aggregate's state and the revision it was folded up to. */
export interface Loaded<State> {
  readonly state: State;
  readonly revision: KnownRevision;
}

type Fold<Stream extends StreamDefinition, State> = Pick<
  Decider<State, never, MessageOf<Stream> & Message>,
  'initial' | 'evolve' | 'evolveUnreadable'
>;

/**
 * Reads and folds one aggregate; a long stream is never in memory as a whole.
 * @param upTo the last revision to fold; all there is by default
 * @throws InvalidRecord where the decider has no `evolveUnreadable`
 */
export async function loadAggregate<Stream extends StreamDefinition, State>(
  reader: StreamReader<Stream>,
  stream: Stream,
  decider: Fold<Stream, State>,
  key: string,
  upTo?: bigint,
): Promise<Loaded<State> & { readonly position: bigint | undefined }> {
  let state = decider.initial();
  let revision: KnownRevision = 'noStream';
  let position: bigint | undefined;
  for (let from = 0n; upTo === undefined || from <= upTo;) {
    const records = await reader.readUnchecked(stream, key, { from, limit: pageSize });
    for (const record of records) {
      if (upTo !== undefined && record.revision > upTo) break;
      state = evolve(decider, stream, state, record);
      revision = record.revision;
      position = record.position;
    }
    if (records.length < pageSize) break;
    from = records.at(-1)!.revision + 1n;
  }
  return { state, revision, position };
}

function evolve<Stream extends StreamDefinition, State>(
  decider: Fold<Stream, State>,
  stream: Stream,
  state: State,
  record: RecordedEvent,
): State {
  let event: Message;
  try {
    event = parse(stream, record);
  } catch (error) {
    if (!(error instanceof InvalidRecord) || decider.evolveUnreadable === undefined) throw error;
    return decider.evolveUnreadable(state, error);
  }
  return decider.evolve(state, event as MessageOf<Stream> & Message);
}

/**
 * Aggregates that are read far more often than they change, kept in memory and dropped when the feed shows a change. A
 * reader says which position it must have seen; while the feed is not there yet, the stream is read instead.
 */
export class CachedAggregates<Stream extends StreamDefinition, State> {
  private readonly cache: LRUCache<string, Loaded<State>>;
  private readonly changes: Subscription;
  /** Counts changes, so that a state read while a change came in is not kept. */
  private generation = 0;

  constructor(
    private readonly feed: LiveFeed,
    private readonly stream: Stream,
    private readonly decider: Fold<Stream, State>,
    capacity = 20_000,
  ) {
    this.cache = new LRUCache({ max: capacity });
    this.changes = feed.records.subscribe((record) => {
      if (categoryOf(record.stream) !== stream.category) return;
      this.generation += 1;
      this.cache.delete(keyOf(record.stream));
    });
  }

  /** @param seen position of a record whose writer may have relied on the aggregate */
  async get(reader: StreamReader<Stream>, key: string, seen: bigint): Promise<Loaded<State>> {
    const fresh = this.feed.position >= seen;
    const cached = fresh ? this.cache.get(key) : undefined;
    if (cached !== undefined) return cached;
    const generation = this.generation;
    const loaded = await loadAggregate(reader, this.stream, this.decider, key);
    if (fresh && generation === this.generation) this.cache.set(key, loaded);
    return loaded;
  }

  stop(): void {
    this.changes.unsubscribe();
  }
}
