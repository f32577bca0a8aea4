import { declaredCategoryOf, InvalidRecord, keyOf, parse, type RecordedEvent } from '#libs/kernel';
import { recipientEvents, type Channel } from '#libs/recipient';
import {
  notificationViews,
  type ChannelView,
  type NotificationView,
  type OperationView,
} from '../view/notification-view.js';
import type { AddressHashes } from './address-hashes.js';
import type { ListEntry, NotificationEntry, OperationEntry } from './entries.js';
import { digitsOf, placeOf } from './place.js';

/** What the index is told of these records. @throws StoreUnavailable */
export async function entriesOf(hashes: AddressHashes, records: readonly RecordedEvent[]): Promise<ListEntry[]> {
  const entries = await Promise.all(records.map((record) => entryOf(hashes, record)));
  return entries.filter((entry) => entry !== undefined);
}

async function entryOf(hashes: AddressHashes, record: RecordedEvent): Promise<ListEntry | undefined> {
  try {
    if (declaredCategoryOf(record.stream) === notificationViews.category) {
      return await notificationEntry(hashes, parse(notificationViews, record).data);
    }
    const { type, data } = parse(recipientEvents, record);
    if (type !== 'recipient.erased.v1') return undefined;
    return { kind: 'erasure', recipientId: keyOf(record.stream), keyIds: data.keyIds };
  } catch (error) {
    // One that cannot be read is in no list. An erasure among them counts once it is repeated, or the index is made anew.
    if (error instanceof InvalidRecord) return undefined;
    throw error;
  }
}

async function notificationEntry(hashes: AddressHashes, view: NotificationView): Promise<NotificationEntry> {
  const { id, recipientId, category, severity, status, broadcastId, tags, requestedAt, position } = view;
  const operations = await Promise.all(
    operationsOf(view).map(async ([channel, operation]): Promise<OperationEntry> => {
      const address = await hashes.ofSealed(channel, operation.to);
      return { id: digitsOf(operation.id), channel, status: operation.status, address };
    }),
  );
  return {
    kind: 'notification',
    place: placeOf(requestedAt, id),
    position: Number(position),
    recipientId,
    category,
    severity,
    status,
    broadcastId,
    tags: Object.entries(tags),
    operations,
  };
}

/** Every operation of a notification, with its channel. */
export function operationsOf({ channels }: NotificationView): (readonly [Channel, OperationView])[] {
  return (Object.entries(channels) as [Channel, ChannelView][]).flatMap(([channel, { operations }]) =>
    operations.map((operation) => [channel, operation] as const),
  );
}
