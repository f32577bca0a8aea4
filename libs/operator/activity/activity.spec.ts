import { describe, expect, test } from '@jest/globals';
import type { RecordedEvent } from '#libs/kernel';
import { Activity, points, step } from './activity.js';
import { LatencyHistogram } from './latency-histogram.js';

const start = Date.parse('2026-01-01T00:00:00.000Z');
const at = (milliseconds: number) => new Date(start + milliseconds).toISOString();

function record(stream: string, type: string, created: number, data: unknown = {}): RecordedEvent {
  return { stream, type, created: start + created, data } as RecordedEvent;
}

function ended(id: string, status: string, took: number, deliverAt: string | null = null): RecordedEvent {
  const view = { id, status, requestedAt: at(0), completedAt: at(took), deliverAt };
  return record(`notification.view.1-${id}`, 'notification.view.v1', took, view);
}

describe('the activity of a process', () => {
  test('counts records by category', () => {
    const activity = new Activity(start);
    activity.count(record('email.event-1', 'email.sent.v1', 0));
    activity.count(record('email.event-2', 'email.sent.v1', 0));
    expect([activity.appended('email.event'), activity.appended('slack.event')]).toEqual([2, 0]);
  });

  test('tells what was taken up and what ended in each step, and leaves none out', () => {
    const activity = new Activity(start);
    activity.count(record('notification.event-a', 'notification.requested.v1', 0));
    activity.count(ended('a', 'sent', 100));
    activity.count(ended('b', 'failed', 2 * step));
    const lately = activity.lately(start + 3 * step).points;
    expect(lately).toHaveLength(points);
    expect(lately.slice(-4)).toEqual([
      { at: at(0), accepted: 1, outcomes: { sent: 1 } },
      { at: at(step), accepted: 0, outcomes: {} },
      { at: at(2 * step), accepted: 0, outcomes: { failed: 1 } },
      { at: at(3 * step), accepted: 0, outcomes: {} },
    ]);
  });

  test('a view that is not final is no end, and one that is written again no second', () => {
    const activity = new Activity(start);
    const pending = { id: 'a', status: 'sending', requestedAt: at(0), completedAt: null, deliverAt: null };
    activity.count(record('notification.view.1-a', 'notification.view.v1', 0, pending));
    activity.count(ended('a', 'sent', 100));
    activity.count(ended('a', 'sent', 100));
    expect(activity.lately(start).latency.count).toBe(1);
  });

  test('time counts from when it was to be delivered', () => {
    const activity = new Activity(start);
    activity.count(ended('a', 'sent', 60_064, at(60_000)));
    expect(activity.lately(start + 60_064).latency).toEqual({ count: 1, p50: 64, p95: 64, p99: 64 });
  });

  test('forgets what is long over', () => {
    const activity = new Activity(start);
    activity.count(ended('a', 'sent', 0));
    const { latency, points: later } = activity.lately(start + points * step);
    expect(latency).toEqual({ count: 0, p50: null, p95: null, p99: null });
    expect(later.every(({ outcomes }) => Object.keys(outcomes).length === 0)).toBe(true);
  });
});

test('quantiles are at most a fifth too long', () => {
  const histogram = new LatencyHistogram();
  for (let milliseconds = 1; milliseconds <= 1_000; milliseconds += 1) histogram.add(milliseconds);
  for (const part of [0.01, 0.5, 0.95, 0.99, 1]) {
    const exact = part * 1_000;
    expect(histogram.quantile(part)).toBeGreaterThanOrEqual(Math.floor(exact));
    expect(histogram.quantile(part)).toBeLessThanOrEqual(Math.ceil(exact * 1.2) + 1);
  }
});
