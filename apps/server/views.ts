import type { Logger } from 'pino';
import { messageOf } from '#libs/kernel';
import {
  rebuildableView,
  SavedPositions,
  ViewRebuilds,
  type RebuildableView,
  type Runtime,
  type ViewStatus,
} from '#libs/runtime';
import { topology } from '#streams.config';
import type { Lists } from './lists.js';
import type { Parts } from './parts.js';
import type { Settings } from './settings/index.js';

/** Builds views anew where this process has the projectors. */
export function openRebuilds(
  { roles, eventStore }: Settings,
  { store, views }: Parts,
  runtime: Runtime<never>,
  log: Logger,
): ViewRebuilds | undefined {
  if (!roles.includes('projectors')) return undefined;
  return new ViewRebuilds({
    store,
    versions: views,
    handlers: topology.handlers,
    // Its flows may be split between processes: one of them has the first part.
    runsHere: ({ name }) => {
      const status = runtime.consumer(name)?.status();
      return status !== undefined && ['running', 'paused'].includes(status.state) && status.partitions.includes(0);
    },
    reached: (handler) => {
      const consumer = runtime.consumer(handler.name);
      return new SavedPositions(store, handler, () => runtime.split).saved((partition) =>
        consumer?.positionOf(partition),
      );
    },
    isShared: eventStore !== undefined,
    log: {
      started: (view, version) => log.info({ view, version }, 'a view is built anew'),
      switched: (view, version) => log.info({ view, version }, 'the new version of a view serves'),
      failed: (view, error) =>
        log.warn({ view, error: messageOf(error) }, 'a view cannot be built now; it is tried again'),
    },
  });
}

/** Everything that an operator can have built anew from here. */
export function rebuildableViews({ store, views }: Parts, lists?: Lists): readonly RebuildableView[] {
  const folds = topology.handlers.flatMap(({ rebuild }) => rebuild ?? []);
  const indexes = lists === undefined ? [] : [queryIndex(lists)];
  return [...folds.map(({ view }) => rebuildableView(store, views, view)), ...indexes];
}

/** The query index of this process. */
function queryIndex({ index }: Lists): RebuildableView {
  const status = async (): Promise<ViewStatus> => {
    const { making, position, behind } = await index.status();
    const rebuild = index.rebuildStatus();
    const seconds = Math.max(0.001, (Date.now() - (rebuild?.startedAt ?? 0)) / 1000);
    return {
      name: 'query-index',
      version: making,
      servingSince: undefined,
      rebuild: rebuild && {
        version: rebuild.making,
        startedAt: rebuild.startedAt,
        done: rebuild.position,
        total: position + behind,
        records: rebuild.records,
        rate: Math.round(rebuild.records / seconds),
        error: rebuild.error,
      },
    };
  };
  return {
    name: 'query-index',
    status,
    rebuild: async () => {
      await index.rebuild();
      return status();
    },
    cancel: async () => {
      await index.cancel();
      return status();
    },
  };
}
