import type { RecordedEvent } from '#libs/kernel';
import { notificationEvents } from '#libs/notification';
import { defineProjector } from '#libs/runtime';
import { count, dailyCountsViews, type DailyCounts, type Requested } from '../view/daily-counts.js';

/** Counts what is asked for, by day and category. */
export const countProjector = defineProjector({
  name: 'daily-counts.projector',
  reads: [notificationEvents],
  looksUp: [dailyCountsViews],
  writes: [dailyCountsViews],
  // Notifications of many flows meet in one view: one at a time, in the order of their positions.
  concurrency: 1,
  // For `tidings views rebuild dailyCounts.view`.
  rebuild: {
    view: dailyCountsViews,
    type: 'daily-counts.view.v1',
    keyOf: (record) => (record.type === 'notification.requested.v1' ? dayOf(record) : undefined),
    // What is there already is looked up.
    begins: () => false,
    fold: (view: DailyCounts | undefined, records: readonly Requested[]) =>
      records.reduce((before, record) => count(before, record) ?? before, view),
  },
  create: (_services: unknown) => ({
    async handle(record, context) {
      if (record.type !== 'notification.requested.v1') return;
      const day = dayOf(record);
      const last = await context.last(dailyCountsViews, day);
      const view = count(last?.data, record);
      if (view === undefined) return;
      await context.append(
        context.write(dailyCountsViews, day, last?.revision ?? 'noStream', [
          { type: 'daily-counts.view.v1', data: view },
        ]),
      );
    },
  }),
});

function dayOf({ created }: RecordedEvent): string {
  return new Date(created).toISOString().slice(0, 10);
}
