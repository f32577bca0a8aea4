import { IsObject, IsString } from 'class-validator';
import { defineStream, type RecordOf } from '#libs/kernel';
import type { notificationEvents } from '#libs/notification';
import { schemaOf } from '#libs/validation';

/** How many notifications were asked for on one day (UTC), by category. */
export class DailyCounts {
  @IsObject()
  readonly counts!: Readonly<Record<string, number>>;

  /** Of the last record that is counted. */
  @IsString()
  readonly position!: string;
}

/** One stream a day, under its date; the last record is the view. */
export const dailyCountsViews = defineStream('dailyCounts', 'view', { 'daily-counts.view.v1': schemaOf(DailyCounts) });

type NotificationRecord = RecordOf<typeof notificationEvents>;
export type Requested = Extract<NotificationRecord, { readonly type: 'notification.requested.v1' }>;

/** The counts after one more request; undefined where it is counted already. */
export function count(before: DailyCounts | undefined, { position, data }: Requested): DailyCounts | undefined {
  if (before !== undefined && position <= BigInt(before.position)) return undefined;
  const counts = before?.counts ?? {};
  return { counts: { ...counts, [data.category]: (counts[data.category] ?? 0) + 1 }, position: String(position) };
}
