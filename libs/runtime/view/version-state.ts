import { streamName, type MessageOf, type RecordOf, type StreamDefinition } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { runtimeVersions } from '../streams.js';
import type { KnownRevision } from '../topology/access.js';

/** The version that a view has before its first rebuild. */
const firstVersion = 1;

export interface BuildingVersion {
  readonly version: number;
  /** Of the request: nothing of the version stands before it. */
  readonly position: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly requestedAt: number;
}

/** What is known of a view's versions. */
export interface VersionState {
  readonly serving: number;
  /** Since when; undefined: it is the first one. */
  readonly switched: { readonly position: bigint; readonly at: number; readonly builtFrom: bigint } | undefined;
  readonly building: BuildingVersion | undefined;
  /** The highest number that was ever given: none is given twice. */
  readonly highest: number;
  /** Versions that serve no more, or never did, and whose streams may still be there. */
  readonly removable: readonly number[];
  readonly revision: KnownRevision;
}

export const initialVersions: VersionState = {
  serving: firstVersion,
  switched: undefined,
  building: undefined,
  highest: firstVersion,
  removable: [],
  revision: 'noStream',
};

export function evolveVersions(
  state: VersionState,
  { type, data, position, created, revision }: RecordOf<typeof runtimeVersions>,
): VersionState {
  const { version } = data;
  switch (type) {
    case 'runtime.rebuild-requested.v1':
      return {
        ...state,
        building: { version, position, requestedAt: created },
        highest: Math.max(state.highest, version),
        removable: [...state.removable, ...(state.building ? [state.building.version] : [])],
        revision,
      };
    case 'runtime.rebuild-cancelled.v1':
      return { ...state, building: undefined, removable: [...state.removable, version], revision };
    case 'runtime.view-switched.v1':
      return {
        ...state,
        serving: version,
        switched: { position, at: created, builtFrom: state.building?.position ?? 0n },
        building: undefined,
        removable: [...state.removable, state.serving],
        revision,
      };
    case 'runtime.version-removed.v1':
      return { ...state, removable: state.removable.filter((one) => one !== version), revision };
  }
}

type VersionEvent = MessageOf<typeof runtimeVersions>;

/** What to do about a view's versions. Each of them answers nothing where it has been done, or has nothing to be done to. */
export const versionDecisions = {
  /** Builds a version, unless one is being built. */
  request: ({ building, highest }: VersionState): readonly VersionEvent[] =>
    building === undefined ? [requested(highest + 1)] : [],
  /** Builds another version instead of the one whose builder has died. */
  restart: ({ building, highest }: VersionState): readonly VersionEvent[] =>
    building === undefined ? [] : [requested(highest + 1)],
  cancel: ({ building }: VersionState): readonly VersionEvent[] =>
    building === undefined ? [] : [{ type: 'runtime.rebuild-cancelled.v1', data: { version: building.version } }],
  /** Only the version that is being built can begin to serve. @param shownTo as `VersionSwitched.position` */
  switchTo:
    (version: number, shownTo: bigint) =>
    ({ building }: VersionState): readonly VersionEvent[] =>
      building?.version === version ? [switchedTo(version, shownTo)] : [],
  removed:
    (version: number) =>
    ({ removable }: VersionState): readonly VersionEvent[] =>
      removable.includes(version) ? [{ type: 'runtime.version-removed.v1', data: { version } }] : [],
};

function switchedTo(version: number, shownTo: bigint): VersionEvent {
  return { type: 'runtime.view-switched.v1', data: { version, position: String(shownTo) } };
}

function requested(version: number): VersionEvent {
  return { type: 'runtime.rebuild-requested.v1', data: { version } };
}

/** @throws StoreUnavailable */
export async function loadVersions(
  store: Pick<EventStore, 'readStream'>,
  view: StreamDefinition,
): Promise<VersionState> {
  let state = initialVersions;
  for await (const record of store.readStream(versionStream(view))) {
    state = evolveVersions(state, record as RecordOf<typeof runtimeVersions>);
  }
  return state;
}

/** The stream in which a view's versions stand. */
export function versionStream({ category }: Pick<StreamDefinition, 'category'>): string {
  return streamName(runtimeVersions, category);
}
