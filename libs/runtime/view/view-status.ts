import { streamName, type RecordOf, type StreamDefinition } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { runtimeRebuilds } from '../streams.js';
import { loadVersions, versionDecisions, type BuildingVersion } from './version-state.js';
import type { ViewVersions } from './view-versions.js';

/** A version that is being built. */
export interface RebuildStatus {
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Position up to which everything is in. */
  readonly done: bigint;
  /** Position up to which there is something. */
  readonly total: bigint;
  /** Records replayed so far. */
  readonly records: number;
  /** Records a second since it was asked for. */
  readonly rate: number;
  /** Why it cannot go on, until it tries again. */
  readonly error: string | undefined;
}

export interface ViewStatus {
  readonly name: string;
  /** The one that serves. */
  readonly version: number;
  /** Since when, in milliseconds since the Unix epoch; undefined: from the beginning, or that is not known. */
  readonly servingSince: number | undefined;
  readonly rebuild: RebuildStatus | undefined;
}

/** Something that is made from records alone, and can be made anew beside itself. */
export interface RebuildableView {
  readonly name: string;
  /** @throws StoreUnavailable */
  status(): Promise<ViewStatus>;
  /** Has a version built, unless one is being built. @throws StoreUnavailable */
  rebuild(): Promise<ViewStatus>;
  /** Gives up the version that is being built, if any. @throws StoreUnavailable */
  cancel(): Promise<ViewStatus>;
}

/** A view as an operator sees it, whichever process builds it. */
export function rebuildableView(store: EventStore, versions: ViewVersions, view: StreamDefinition): RebuildableView {
  const status = async (): Promise<ViewStatus> => {
    const { serving, switched, building } = await loadVersions(store, view);
    const rebuild = building && (await rebuildStatus(store, view, building));
    return { name: view.category, version: serving, servingSince: switched?.at, rebuild };
  };
  return {
    name: view.category,
    status,
    rebuild: async () => {
      await versions.decide(view, versionDecisions.request);
      return status();
    },
    cancel: async () => {
      await versions.decide(view, versionDecisions.cancel);
      return status();
    },
  };
}

async function rebuildStatus(
  store: EventStore,
  view: StreamDefinition,
  { version, requestedAt }: BuildingVersion,
): Promise<RebuildStatus> {
  const total = await store.head();
  const told = await lastTold(store, view);
  const begun = { version, startedAt: requestedAt, done: 0n, total, records: 0, rate: 0, error: undefined };
  if (told?.data.version !== version) return begun;
  const { position, records, error } = told.data;
  const seconds = Math.max(0.001, (told.created - requestedAt) / 1000);
  return { ...begun, done: BigInt(position), records, rate: Math.round(records / seconds), error: error ?? undefined };
}

async function lastTold(store: EventStore, view: StreamDefinition) {
  const stream = streamName(runtimeRebuilds, view.category);
  for await (const record of store.readStream(stream, { direction: 'backwards', limit: 1 })) {
    return record as RecordOf<typeof runtimeRebuilds>;
  }
  return undefined;
}
