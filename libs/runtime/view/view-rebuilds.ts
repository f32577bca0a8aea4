import type { Subscription } from 'rxjs';
import { messageOf, newId, streamName, versionCategory, type StreamDefinition } from '#libs/kernel';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import { pause } from '../consumer/pause.js';
import { runtimeRebuilds, type RebuildProgressed } from '../streams.js';
import type { AnyHandler } from '../topology/handler.js';
import { Rebuild } from './rebuild.js';
import { removeVersion } from './remove-version.js';
import { versionDecisions } from './version-state.js';
import type { VersionsChanged, ViewVersions } from './view-versions.js';

/** Milliseconds between two records of how far a rebuild is. */
const tellEvery = 1_000;
const keptProgress = 3;
const longestWait = 30_000;
/** Milliseconds between two looks at whether the consumer is here by now. */
const lookEvery = 500;
/** Before a version that serves no more is removed: by then every process knows of the switch. In milliseconds. */
const defaultGrace = 5_000;

/** What happens to rebuilds, for logs. */
export interface RebuildLog {
  started(view: string, version: number): void;
  switched(view: string, version: number): void;
  failed(view: string, error: unknown): void;
}

export interface ViewRebuildsOptions {
  readonly store: EventStore;
  readonly versions: ViewVersions;
  /** Whose views are built in this process: that of their projectors. */
  readonly handlers: readonly AnyHandler[];
  /** Whether this process is to build the views of this handler: one of those that run it. */
  readonly runsHere: (handler: AnyHandler) => boolean;
  /** Everything up to there is handled, also where other processes do it. @throws StoreUnavailable */
  readonly reached: (handler: AnyHandler) => Promise<bigint>;
  /** Whether other processes may write the views, too. */
  readonly isShared: boolean;
  readonly log: RebuildLog;
  readonly grace?: number;
}

interface Job {
  readonly view: StreamDefinition;
  readonly version: number;
  readonly stopping: AbortController;
  readonly done: Promise<void>;
}

/** Builds the versions that are asked for, and removes those that serve no more, while everything else goes on. */
export class ViewRebuilds {
  /** By the category of the version. */
  private readonly building = new Map<string, Job>();
  /** By view. */
  private readonly removing = new Map<string, Job>();
  private readonly changes: Subscription;

  constructor(private readonly options: ViewRebuildsOptions) {
    const { versions } = options;
    for (const view of versions.views) {
      const state = versions.stateOf(view);
      if (state !== undefined) this.react({ view, state, before: undefined });
    }
    this.changes = versions.changes.subscribe((change) => this.react(change));
  }

  /** Ends what is under way; it is begun anew by the next process. */
  async stop(): Promise<void> {
    this.changes.unsubscribe();
    const jobs = [...this.building.values(), ...this.removing.values()];
    for (const { stopping } of jobs) stopping.abort();
    await Promise.all(jobs.map(({ done }) => done));
  }

  private react({ view, state, before }: VersionsChanged): void {
    const handler = this.options.handlers.find(({ rebuild }) => rebuild?.view.category === view.category);
    if (handler === undefined) return;
    const { building, removable, serving } = state;
    for (const job of this.building.values()) {
      if (job.view.category === view.category && job.version !== building?.version && job.version !== serving) {
        job.stopping.abort();
      }
    }
    if (building !== undefined && !this.building.has(versionCategory(view, building.version))) {
      // What was being built when the process started, or took over, ended with the process that built it.
      const isStale = before === undefined || !this.options.runsHere(handler);
      this.begin(this.building, versionCategory(view, building.version), view, building.version, (signal) =>
        isStale ? this.restart(handler, signal) : this.build(handler, building.version, signal),
      );
    }
    if (removable.length > 0 && !this.removing.has(view.category)) {
      this.begin(this.removing, view.category, view, 0, (signal) => this.remove(view, signal));
    }
  }

  private begin(
    jobs: Map<string, Job>,
    key: string,
    view: StreamDefinition,
    version: number,
    work: (signal: AbortSignal) => Promise<void>,
  ): void {
    const stopping = new AbortController();
    const done = this.untilDone(view, stopping.signal, work).finally(() => jobs.delete(key));
    jobs.set(key, { view, version, stopping, done });
  }

  /** Only where the view is written can its writing be held. */
  private async restart(handler: AnyHandler, signal: AbortSignal): Promise<void> {
    const { versions, runsHere } = this.options;
    while (!runsHere(handler)) {
      await pause(lookEvery, signal);
      if (signal.aborted) return;
    }
    await versions.decide(handler.rebuild!.view, versionDecisions.restart);
  }

  private async build(handler: AnyHandler, version: number, signal: AbortSignal): Promise<void> {
    const { store, versions, log } = this.options;
    const fold = handler.rebuild!;
    const { view } = fold;
    let toldAt = 0;
    const tell = async (error: string | null): Promise<void> => {
      const { position, records } = rebuild.progress;
      toldAt = performance.now();
      await this.tell(view, { version, position: String(position), records, error });
    };
    const onProgress = async (): Promise<void> => {
      if (performance.now() - toldAt >= tellEvery) await tell(null);
    };
    const reached = () => this.options.reached(handler);
    const rebuild = new Rebuild(store, versions, handler, fold, version, onProgress, reached);
    log.started(view.category, version);
    await this.untilDone(
      view,
      signal,
      () => rebuild.run(signal, () => this.options.runsHere(handler), this.options.isShared),
      (error) => tell(error),
    );
    if (versions.stateOf(view)?.serving === version) log.switched(view.category, version);
  }

  private async tell(view: StreamDefinition, data: RebuildProgressed): Promise<void> {
    const { store } = this.options;
    const stream = streamName(runtimeRebuilds, view.category);
    const told = { id: newId(), type: 'runtime.rebuild-progressed.v1', data };
    const { revision } = await store.append(stream, 'any', [told]);
    if (revision === 0n) await store.setStreamMetadata(stream, { maxCount: keptProgress });
  }

  private async remove(view: StreamDefinition, signal: AbortSignal): Promise<void> {
    const { store, versions, grace = defaultGrace } = this.options;
    for (;;) {
      const removable = versions.stateOf(view)?.removable ?? [];
      if (removable.length === 0) return;
      await pause(grace, signal);
      for (const version of removable) {
        await this.building.get(versionCategory(view, version))?.done;
        await removeVersion(store, view, version, signal);
        if (signal.aborted) return;
        await versions.decide(view, versionDecisions.removed(version));
      }
    }
  }

  /** Repeats the work until it succeeds or is stopped. */
  private async untilDone(
    view: StreamDefinition,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<void>,
    onFailure: (error: string) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, longestWait)) {
      try {
        await work(signal);
        return;
      } catch (error) {
        if (error instanceof StoreUnavailable && error.final) return;
        if (signal.aborted) return;
        this.options.log.failed(view.category, error);
        await onFailure(messageOf(error)).catch(() => undefined);
      }
      await pause(wait, signal);
    }
  }
}
