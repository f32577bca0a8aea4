import { defer, distinctUntilChanged, filter, map, merge, scan } from 'rxjs';
import { eventStreamStart, heartbeat, heartbeatInterval, orSilence, serverSentEvent } from '#libs/http';
import { keyOf, type RecordedEvent } from '#libs/kernel';
import { latest, type LiveFeed } from '#libs/runtime';
import type { Vault } from '#libs/vault';
import { notificationViews, type NotificationView } from '../view/notification-view.js';

export interface LiveViewServices {
  readonly vault: Vault;
  /** Emits at least the records of the notification views. */
  readonly feed: LiveFeed;
}

/**
 * A notification's view as it is and then as it becomes, as server-sent events, each under the position of the last record
 * that the view shows. Whoever is slow sees the newest view and not each of those before it.
 * @param current reads the view as it is now
 * @param seen position that the client has seen
 */
export async function* liveView(
  { vault, feed }: LiveViewServices,
  id: string,
  current: () => Promise<NotificationView | undefined>,
  seen: bigint | undefined,
  signal: AbortSignal,
  every = heartbeatInterval,
): AsyncGenerator<string> {
  const written = feed.records.pipe(
    filter(({ stream, type }: RecordedEvent) => keyOf(stream) === id && type in notificationViews.contents),
    map(({ data }) => data as NotificationView),
  );
  // First listens and reads then, so that nothing falls in between; what is read may be older than what has come.
  const views = merge(written, defer(current).pipe(filter((view) => view !== undefined))).pipe(
    scan(newer),
    distinctUntilChanged(),
  );
  yield eventStreamStart;
  for await (const view of orSilence(latest(views, signal), every)) {
    if (view === undefined) yield heartbeat;
    else if (seen === undefined || BigInt(view.position) > seen) {
      yield serverSentEvent(view.position, await vault.openDeep(view));
    }
  }
}

function newer(one: NotificationView, other: NotificationView): NotificationView {
  return BigInt(other.position) > BigInt(one.position) ? other : one;
}
