import type { RecordOf } from '#libs/kernel';
import type { StreamReader } from '#libs/runtime';
import { notificationClientOperations } from './client.js';
import { notificationInternalOperations } from './internal.js';

/** What a notification begins with, whoever asks for it. */
export type NotificationRequest = Extract<
  RecordOf<typeof notificationClientOperations | typeof notificationInternalOperations>,
  { type: 'notification.send.v1' }
>;

/** What was asked for, by a client or by a broadcast. */
export async function readRequest(
  reader: StreamReader<typeof notificationClientOperations | typeof notificationInternalOperations>,
  id: string,
): Promise<NotificationRequest | undefined> {
  const [asked] = await reader.read(notificationClientOperations, id, { limit: 1 });
  if (asked?.type === 'notification.send.v1') return asked;
  const [first] = await reader.read(notificationInternalOperations, id, { limit: 1 });
  return first?.type === 'notification.send.v1' ? first : undefined;
}
