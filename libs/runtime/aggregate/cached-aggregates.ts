import { LRUCache } from 'lru-cache';
import type { Subscription } from 'rxjs';
import { categoryOf, keyOf, type Message, type MessageOf, type StreamDefinition } from '#libs/kernel';
import type { LiveFeed } from '../live/live-feed.js';
import type { KnownRevision, StreamReader } from '../topology/access.js';

/** An aggregate's state and the revision it was folded up to. */
export interface Loaded<State> {
  readonly state: State;
  readonly revision: KnownRevision;
}

/** Reads and folds one aggregate. */
export async function loadAggregate<Stream extends StreamDefinition, State>(
  reader: StreamReader<Stream>,
  stream: Stream,
  decider: { initial(): State; evolve(state: State, event: MessageOf<Stream>): State },
  key: string,
): Promise<Loaded<State> & { readonly position: bigint | undefined }> {
  let state = decider.initial();
  let revision: KnownRevision = 'noStream';
  let position: bigint | undefined;
  for (const record of await reader.read(stream, key)) {
    state = decider.evolve(state, record as Message as MessageOf<Stream>);
    revision = record.revision;
    position = record.position;
  }
  return { state, revision, position };
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
    private readonly decider: { initial(): State; evolve(state: State, event: MessageOf<Stream>): State },
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
