import { emailEvents } from '#libs/channel/email';
import type { StreamReader } from '#libs/runtime';
import { notificationEvents } from '../event/notification.js';
import { project, type NotificationView, type ViewSource } from './notification-view.js';

/** Everything that a notification's view is made from, in global order. */
export async function readHistory(
  reader: StreamReader<typeof notificationEvents | typeof emailEvents>,
  id: string,
): Promise<ViewSource[]> {
  const own = await reader.read(notificationEvents, id);
  const prepared = own.find((record) => record.type === 'notification.prepared.v1');
  const operations = prepared?.type === 'notification.prepared.v1' ? prepared.data.operations : [];
  const channelEvents = await Promise.all(operations.map((operation) => reader.read(emailEvents, operation.id)));
  return [...own, ...channelEvents.flat()].sort((a, b) => (a.position < b.position ? -1 : 1));
}

/** The view as the events have it now; undefined where nothing has been decided yet. */
export function foldView(history: readonly ViewSource[]): NotificationView | undefined {
  return history.reduce<NotificationView | undefined>(project, undefined);
}
