import { Subject, type Observable } from 'rxjs';
import {
  declaredCategoryOf,
  keyOf,
  newId,
  versionCategory,
  categoryOf,
  type RecordOf,
  type StreamDefinition,
} from '#libs/kernel';
import { StoreUnavailable, WrongExpectedRevision, type Append, type EventStore } from '#libs/store/port';
import { pause } from '../consumer/pause.js';
import { runtimeVersions } from '../streams.js';
import {
  evolveVersions,
  loadVersions,
  versionStream,
  type versionDecisions,
  type VersionState,
} from './version-state.js';
import { ViewSwitched, type ViewNames } from './view-names.js';
import { WriteGate } from './write-gate.js';

const mostTries = 10;

/** What has become of a view's versions. */
export interface VersionsChanged {
  readonly view: StreamDefinition;
  readonly state: VersionState;
  /** Before the change; undefined where this is how the process found them. */
  readonly before: VersionState | undefined;
}

type Decision = ReturnType<typeof versionDecisions.switchTo>;

/** Which version of each view serves, as the store has it. */
export class ViewVersions implements ViewNames {
  private readonly states = new Map<string, VersionState>();
  private readonly gates: ReadonlyMap<string, WriteGate>;
  private readonly subject = new Subject<VersionsChanged>();
  private readonly stopping = new AbortController();
  private following: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: EventStore,
    readonly views: readonly StreamDefinition[],
  ) {
    this.gates = new Map(views.map(({ category }) => [category, new WriteGate()]));
  }

  /** Emits within the call that made the change, before anybody writes to a version that serves newly. */
  get changes(): Observable<VersionsChanged> {
    return this.subject;
  }

  /** With a store that is away, nothing is known until it is there. */
  async start(): Promise<void> {
    let after: bigint | undefined;
    try {
      after = await this.load();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || error.final) throw error;
    }
    this.following = this.follow(after);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
    this.subject.complete();
  }

  /** Undefined while nothing is known. */
  stateOf({ category }: StreamDefinition): VersionState | undefined {
    return this.states.get(category);
  }

  versionOf(view: StreamDefinition): number {
    const state = this.stateOf(view);
    if (state === undefined) throw new StoreUnavailable('it is not known yet which version of a view serves');
    return state.serving;
  }

  writing<Result>(appends: readonly Append[], append: () => Promise<Result>): Promise<Result> {
    const gate = appends
      .map(({ stream }) => this.gates.get(declaredCategoryOf(stream)))
      .find((one) => one !== undefined);
    if (gate === undefined) return append();
    return gate.pass(() => {
      for (const { stream } of appends) this.mustServe(stream);
      return append();
    });
  }

  /** Nobody in this process writes to the view until it is released; what was being written is written. */
  hold({ category }: StreamDefinition): Promise<() => void> {
    return this.gates.get(category)!.close();
  }

  /**
   * Decides about a view's versions and waits until it is durable.
   * @throws WrongExpectedRevision, StoreUnavailable
   */
  async decide(view: StreamDefinition, decision: Decision): Promise<VersionState> {
    const stream = versionStream(view);
    for (let tries = 1; ; tries += 1) {
      const state = await loadVersions(this.store, view);
      this.learn(view, state);
      const events = decision(state);
      if (events.length === 0) return state;
      try {
        await this.store.append(
          stream,
          state.revision,
          events.map((event) => ({ id: newId(), ...event })),
        );
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision) || tries === mostTries) throw error;
        continue;
      }
      const decided = await loadVersions(this.store, view);
      this.learn(view, decided);
      return decided;
    }
  }

  private mustServe(stream: string): void {
    const view = this.views.find(({ category }) => category === declaredCategoryOf(stream));
    if (view === undefined || categoryOf(stream) === versionCategory(view, this.versionOf(view))) return;
    throw new ViewSwitched(stream);
  }

  /** Position up to which everything is known. */
  private async load(): Promise<bigint> {
    const head = await this.store.head();
    for (const view of this.views) this.learn(view, await loadVersions(this.store, view));
    return head;
  }

  private async follow(loaded: bigint | undefined): Promise<void> {
    const { signal } = this.stopping;
    let after = loaded;
    for (let wait = 50; !signal.aborted; wait = Math.min(wait * 2, 5_000)) {
      try {
        after ??= await this.load();
        const filter = { categories: [runtimeVersions.category] };
        for await (const batch of this.store.subscribeToAll({ after, filter, signal })) {
          for (const record of batch.events) this.learnFrom(record as RecordOf<typeof runtimeVersions>);
          after = batch.checkpoint;
          wait = 50;
        }
      } catch (error) {
        if (error instanceof StoreUnavailable && error.final) return;
      }
      await pause(wait, signal);
    }
  }

  private learnFrom(record: RecordOf<typeof runtimeVersions>): void {
    const view = this.views.find(({ category }) => category === keyOf(record.stream));
    const state = view && this.stateOf(view);
    if (state !== undefined) this.learn(view!, evolveVersions(state, record), record.revision);
  }

  /** What is known already changes nothing, in whatever order it comes. */
  private learn(view: StreamDefinition, state: VersionState, revision = state.revision): void {
    const before = this.stateOf(view);
    if (before !== undefined && place(before.revision) >= place(revision)) return;
    this.states.set(view.category, state);
    this.subject.next({ view, state, before });
  }
}

function place(revision: VersionState['revision']): bigint {
  return revision === 'noStream' ? -1n : revision;
}
