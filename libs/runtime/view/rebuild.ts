import { setImmediate } from 'node:timers/promises';
import {
  categoryOf,
  correlationOf,
  InvalidRecord,
  parse,
  type RecordedEvent,
  type StreamDefinition,
} from '#libs/kernel';
import type { EventStore, SubscriptionBatch } from '#libs/store/port';
import type { AnyHandler } from '../topology/handler.js';
import { RebuiltViews } from './rebuilt-views.js';
import { versionDecisions } from './version-state.js';
import type { ViewFold } from './view-fold.js';
import type { ViewVersions } from './view-versions.js';

/** After so many records everything else in the process gets its turn. */
const recordsAtOnce = 100;

/** How long after the switch, in milliseconds. */
const followedOn = 5_000;

export interface RebuildProgress {
  /** Everything up to here is in. */
  readonly position: bigint;
  /** Records replayed. */
  readonly records: number;
}

/**
 * Builds one version of a view from the records, beside the version that serves, and switches:
 *
 * 1. the records that the projector is handed are folded, in global order, and what comes of them is written to the
 *    streams of the new version; no handler runs, and nothing else is written;
 * 2. at the head of the store the projector's writing is held, for some milliseconds;
 * 3. what has come until then is folded too, so that the new version shows all that the old one does;
 * 4. the switch is recorded, and the projector goes on with the new version.
 */
export class Rebuild {
  private readonly definitions: ReadonlyMap<string, StreamDefinition>;
  private readonly views: RebuiltViews;
  /** Flows of which a record cannot be read: as with the projector, nothing after it is shown. */
  private readonly blocked = new Set<string>();
  private position = 0n;
  private records = 0;

  constructor(
    private readonly store: EventStore,
    private readonly versions: ViewVersions,
    private readonly handler: AnyHandler,
    private readonly fold: ViewFold,
    readonly version: number,
    private readonly onProgress: () => Promise<void>,
    private readonly reached: () => Promise<bigint>,
  ) {
    this.definitions = new Map(handler.reads.map((stream) => [stream.category, stream]));
    this.views = new RebuiltViews(store, handler, fold, version);
  }

  get progress(): RebuildProgress {
    return { position: this.position, records: this.records };
  }

  /**
   * Resolves when the version serves, or was given up. Repeated after an error, it goes on where it was.
   * @param mayHold whether this process still is to build the view
   * @param isShared whether other processes may write the view, too, whose writing cannot be held
   * @throws StoreUnavailable
   */
  async run(signal: AbortSignal, mayHold: () => boolean, isShared: boolean): Promise<void> {
    await this.follow(signal, ({ live }) => live);
    if (signal.aborted) return;
    await this.views.flush();
    const shownTo = await this.reached();
    const release = await this.versions.hold(this.fold.view);
    try {
      const head = await this.store.head();
      await this.follow(signal, ({ live }) => live || this.position >= head);
      await this.views.flush();
      if (!mayHold()) throw new Error('the view is written elsewhere by now');
      if (!signal.aborted) await this.versions.decide(this.fold.view, versionDecisions.switchTo(this.version, shownTo));
    } finally {
      release();
    }
    if (isShared) await this.followOn(signal);
  }

  /** What other processes have written to the version before, until they knew of the switch, comes to the new one by this. */
  private async followOn(signal: AbortSignal): Promise<void> {
    await this.follow(AbortSignal.any([signal, AbortSignal.timeout(followedOn)]), () => false);
    await this.views.flush();
  }

  /** Takes in what comes after the position, until there is enough. */
  private async follow(signal: AbortSignal, isEnough: (batch: SubscriptionBatch) => boolean): Promise<void> {
    const filter = { categories: [...this.definitions.keys()] };
    for await (const batch of this.store.subscribeToAll({ after: this.position, filter, signal })) {
      await this.take(batch.events, signal);
      if (signal.aborted) return;
      this.position = batch.checkpoint;
      await this.onProgress();
      if (isEnough(batch)) return;
    }
  }

  private async take(events: readonly RecordedEvent[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < events.length && !signal.aborted; from += recordsAtOnce) {
      const some = events.slice(from, from + recordsAtOnce);
      await this.views.take(this.byKey(some));
      this.records += some.length;
      this.position = some.at(-1)!.position;
      await setImmediate();
    }
  }

  private byKey(records: readonly RecordedEvent[]): ReadonlyMap<string, readonly RecordedEvent[]> {
    const byKey = new Map<string, RecordedEvent[]>();
    for (const record of records) {
      const key = record.type.startsWith('$') ? undefined : this.fold.keyOf(record);
      if (key === undefined || !this.isReadable(record)) continue;
      const ofKey = byKey.get(key);
      if (ofKey === undefined) byKey.set(key, [record]);
      else ofKey.push(record);
    }
    return byKey;
  }

  private isReadable(record: RecordedEvent): boolean {
    const flow = correlationOf(record);
    if (this.blocked.size > 0 && this.blocked.has(flow)) return false;
    try {
      parse(this.definitions.get(categoryOf(record.stream))!, record);
      return true;
    } catch (error) {
      if (!(error instanceof InvalidRecord)) throw error;
      if (this.handler.strictOrder) this.blocked.add(flow);
      return false;
    }
  }
}
