import type { FailureSummary, GatheredFailure, Tally } from './contents.js';

const mostIds = 20;

/** What a mail tells, with further failures in it. */
export function summarise(before: FailureSummary | null, failures: readonly GatheredFailure[]): FailureSummary {
  const times = failures.map(({ failedAt }) => failedAt);
  const ids = failures.slice(0, mostIds).map(({ notificationId }) => notificationId);
  return {
    count: (before?.count ?? 0) + failures.length,
    reasons: add(
      before?.reasons,
      failures.map(({ reason }) => reason),
    ),
    codes: add(
      before?.codes,
      failures.flatMap(({ codes }) => codes),
    ),
    firstFailedAt: extreme([...(before ? [before.firstFailedAt] : []), ...times], Math.min),
    lastFailedAt: extreme([...(before ? [before.lastFailedAt] : []), ...times], Math.max),
    notificationIds: [...(before?.notificationIds ?? []), ...ids].slice(0, mostIds),
  };
}

/** The most frequent first. */
function add(before: readonly Tally[] = [], names: readonly string[]): Tally[] {
  const counts = new Map(before.map(({ name, count }) => [name, count]));
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count);
}

function extreme(times: readonly string[], pick: (...times: number[]) => number): string {
  return new Date(pick(...times.map((time) => Date.parse(time)))).toISOString();
}
