import type { Logger } from 'pino';
import type { ReadinessCheck } from '#libs/http';
import { messageOf } from '#libs/kernel';
import {
  notificationViews,
  openNotificationIndex,
  sendBot,
  viewProjector,
  type NotificationIndex,
} from '#libs/notification';
import { CatchUp, type Stage } from '#libs/query-index';
import { SavedPositions, type AnyHandler, type Runtime } from '#libs/runtime';
import { StoreUnavailable, type EventStore } from '#libs/store/port';
import type { Parts } from './parts.js';
import type { Settings } from './settings/index.js';

/** What the lists of this process are answered from. */
export interface Lists extends NotificationIndex {
  readonly catchUp: CatchUp;
  readonly check: ReadinessCheck;
}

/** Opens the query index, which then catches up by itself. @throws IndexFailure */
export async function openLists(
  { dataDir }: Settings,
  { store, vault, views }: Parts,
  runtime: Runtime<never>,
  log: Logger,
): Promise<Lists> {
  const opened = await openNotificationIndex({
    directory: dataDir,
    store,
    vault,
    log: {
      rebuilding: (reason) => log.warn({ reason }, 'the query index is made anew'),
      failed: (error) => log.warn({ error: messageOf(error) }, 'the query index cannot go on; it tries again'),
    },
  });
  const { index } = opened;
  // What is found is made from the views: from those that serve.
  views.changes.subscribe(({ view, state, before }) => {
    if (view.category !== notificationViews.category || (before?.serving ?? state.serving) === state.serving) return;
    index
      .cancel()
      .then(() => index.rebuild())
      .catch((error: unknown) => log.error({ error: messageOf(error) }, 'the query index cannot be made anew'));
  });
  // From what was accepted to what is listed.
  const stages: Stage[] = [
    ...[sendBot, viewProjector].map((handler) => consumerStage(runtime, store, handler)),
    { name: 'the query index', position: () => index.position },
  ];
  const check: ReadinessCheck = {
    name: 'queryIndex',
    check: async () => {
      try {
        const { state, behind, error } = await index.status();
        const detail = `${state}, ${behind} positions behind${error === undefined ? '' : `: ${error}`}`;
        return { status: state === 'failing' ? 'down' : 'up', detail };
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        return { status: 'down', detail: 'waiting for the store' };
      }
    },
  };
  return { ...opened, catchUp: new CatchUp(stages, () => store.head()), check };
}

function consumerStage(runtime: Runtime<never>, store: EventStore, handler: AnyHandler): Stage {
  const positions = new SavedPositions(store, handler, () => runtime.split);
  const consumer = runtime.consumer(handler.name);
  return { name: handler.name, position: () => positions.least((partition) => consumer?.positionOf(partition)) };
}
