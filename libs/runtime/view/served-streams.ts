import {
  isVersioned,
  keyOf,
  versionCategory,
  type RecordedEvent,
  type RecordOf,
  type StreamDefinition,
} from '#libs/kernel';
import type { EventStore, SubscriptionBatch } from '#libs/store/port';
import { runtimeVersions, type VersionSwitched, type ViewVersion } from '../streams.js';
import { loadVersions, type VersionState } from './version-state.js';

/**
 * Follows streams, of each view the version that serves. A switch stands among the records, and it is obeyed at its place:
 * so of the version before nothing is left out, of the one after nothing that the version before did not show, and whoever
 * follows the same records sees the same.
 */
export class ServedStreams {
  private states: ReadonlyMap<string, VersionState> | undefined;
  private readonly versions = new Map<string, number>();

  constructor(
    private readonly store: Pick<EventStore, 'readStream' | 'subscribeToAll'>,
    private readonly streams: readonly StreamDefinition[],
  ) {}

  /** How the views' versions stood when it was first asked. @throws StoreUnavailable */
  async stateOf(view: StreamDefinition): Promise<VersionState> {
    return (await this.load()).get(view.category)!;
  }

  /**
   * Begins with the versions that served when it was first asked for anything. At a switch it goes back a little: the new
   * version may be ahead of what was seen of the one before.
   */
  async *subscribe(after: bigint, signal: AbortSignal): AsyncGenerator<SubscriptionBatch> {
    await this.load();
    for (let from = after; !signal.aborted;) {
      let shownTo: bigint | undefined;
      const filter = { categories: this.categories() };
      for await (const batch of this.store.subscribeToAll({ after: from, filter, signal })) {
        const index = batch.events.findIndex((record) => this.isSwitch(record));
        if (index < 0) {
          yield { ...batch, events: batch.events.filter(isWanted) };
          continue;
        }
        const { stream, data, position } = batch.events[index] as RecordOf<typeof runtimeVersions>;
        this.versions.set(keyOf(stream), data.version);
        shownTo = positionIn(data) ?? position;
        yield { events: batch.events.slice(0, index).filter(isWanted), checkpoint: shownTo, live: false };
        break;
      }
      if (shownTo === undefined) return;
      from = shownTo;
    }
  }

  private async load(): Promise<ReadonlyMap<string, VersionState>> {
    if (this.states !== undefined) return this.states;
    const states = new Map<string, VersionState>();
    for (const view of this.streams.filter(isVersioned))
      states.set(view.category, await loadVersions(this.store, view));
    for (const [category, { serving }] of states) this.versions.set(category, serving);
    return (this.states = states);
  }

  private categories(): readonly string[] {
    const categories = this.streams.map((stream) =>
      isVersioned(stream) ? versionCategory(stream, this.versions.get(stream.category)!) : stream.category,
    );
    return this.versions.size === 0 ? categories : [...categories, runtimeVersions.category];
  }

  private isSwitch({ type, stream, data }: RecordedEvent): boolean {
    if (type !== 'runtime.view-switched.v1') return false;
    const version = this.versions.get(keyOf(stream));
    return version !== undefined && (data as ViewVersion).version > version;
  }
}

function positionIn(data: VersionSwitched): bigint | undefined {
  return data.position === undefined ? undefined : BigInt(data.position);
}

function isWanted({ type, stream }: RecordedEvent): boolean {
  // The versions themselves are nobody's business, nor is what the store keeps of a stream that it has removed.
  return !type.startsWith('$') && !stream.startsWith(`${runtimeVersions.category}-`);
}
