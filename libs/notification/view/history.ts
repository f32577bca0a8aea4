import type { StreamReader } from '#libs/runtime';
import { channelStreams, type ChannelEvents } from '../channels.js';
import { notificationEvents } from '../event/notification.js';
import type { NotificationView } from './notification-view.js';
import { project, type ViewSource } from './project.js';

/** Everything that a notification's view is made from, in global order. */
export async function readHistory(
  reader: StreamReader<typeof notificationEvents | ChannelEvents>,
  id: string,
): Promise<ViewSource[]> {
  const own = await reader.read(notificationEvents, id);
  const prepared = own.find((record) => record.type === 'notification.prepared.v1');
  const operations = prepared?.type === 'notification.prepared.v1' ? prepared.data.operations : [];
  const channelEvents = await Promise.all(
    operations.map(({ id: key, channel }) => reader.read(channelStreams[channel].events, key)),
  );
  return [...own, ...channelEvents.flat()].sort((a, b) => (a.position < b.position ? -1 : 1));
}

/** The view as the events have it now; undefined where nothing has been decided yet. */
export function foldView(history: readonly ViewSource[]): NotificationView | undefined {
  return history.reduce<NotificationView | undefined>(project, undefined);
}
