import { LRUCache } from 'lru-cache';
import { categoryOf, type RecordedEvent } from '#libs/kernel';
import { isFinal, type NotificationStatus, type NotificationView } from '#libs/notification';
import { LatencyHistogram } from './latency-histogram.js';

/** Milliseconds that one point of the recent past covers. */
export const step = 5_000;
/** Points that are kept: five minutes. */
export const points = 60;
/** A view that is written once more after the end, as by a late outcome, is no other end. */
const endsRemembered = 10_000;

/** What happened in one step. */
interface Point {
  readonly index: number;
  accepted: number;
  readonly outcomes: Partial<Record<NotificationStatus, number>>;
  readonly latency: LatencyHistogram;
}

/** What happened lately. Times are RFC 3339, lengths milliseconds. */
export interface RecentActivity {
  /** Oldest first, without gaps; the last one is not over yet. */
  readonly points: readonly {
    readonly at: string;
    /** Notifications taken up. */
    readonly accepted: number;
    /** Notifications that ended, by how. */
    readonly outcomes: Readonly<Partial<Record<NotificationStatus, number>>>;
  }[];
  /** From the request, or the time it was to be delivered at, to the end; null: none ended. */
  readonly latency: {
    readonly count: number;
    readonly p50: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
  };
}

/** Counts records as they come, to be looked at: what happened before this process started is not in it. */
export class Activity {
  private readonly counts = new Map<string, number>();
  private readonly ended = new LRUCache<string, true>({ max: endsRemembered });
  private recent: Point[] = [];

  /** @param since milliseconds since the Unix epoch */
  constructor(readonly since: number) {}

  /** Records appended to the category since then. */
  appended(category: string): number {
    return this.counts.get(category) ?? 0;
  }

  count(record: RecordedEvent): void {
    const category = categoryOf(record.stream);
    this.counts.set(category, this.appended(category) + 1);
    if (record.type === 'notification.requested.v1') this.pointOf(record).accepted += 1;
    if (record.type === 'notification.view.v1') this.countEnd(record, record.data as NotificationView);
  }

  private countEnd(record: RecordedEvent, view: NotificationView): void {
    if (!isFinal(view) || view.completedAt === null || this.ended.has(view.id)) return;
    this.ended.set(view.id, true);
    const point = this.pointOf(record);
    point.outcomes[view.status] = (point.outcomes[view.status] ?? 0) + 1;
    const due = Math.max(Date.parse(view.requestedAt), Date.parse(view.deliverAt ?? view.requestedAt));
    point.latency.add(Math.max(0, Date.parse(view.completedAt) - due));
  }

  private pointOf({ created }: RecordedEvent): Point {
    // A clock that was set back does not start the past anew.
    const index = Math.max(indexOf(created), this.recent.at(-1)?.index ?? 0);
    const last = this.recent.at(-1);
    if (last?.index === index) return last;
    const point: Point = { index, accepted: 0, outcomes: {}, latency: new LatencyHistogram() };
    this.recent = [...this.recent.filter((one) => one.index > index - points), point];
    return point;
  }

  /** @param now milliseconds since the Unix epoch */
  lately(now: number): RecentActivity {
    const last = Math.max(indexOf(now), this.recent.at(-1)?.index ?? 0);
    const byIndex = new Map(this.recent.map((point) => [point.index, point]));
    const indexes = Array.from({ length: points }, (_, place) => last - points + 1 + place);
    const latency = new LatencyHistogram();
    for (const index of indexes) {
      const point = byIndex.get(index);
      if (point !== undefined) latency.addAll(point.latency);
    }
    return {
      points: indexes.map((index) => {
        const { accepted = 0, outcomes = {} } = byIndex.get(index) ?? {};
        return { at: new Date(index * step).toISOString(), accepted, outcomes: { ...outcomes } };
      }),
      latency: {
        count: latency.count,
        p50: latency.quantile(0.5),
        p95: latency.quantile(0.95),
        p99: latency.quantile(0.99),
      },
    };
  }
}

function indexOf(time: number): number {
  return Math.floor(time / step);
}
