import { streamsOf } from '#libs/http';
import { correlationOf, type RecordedEvent, type StreamKind } from '#libs/kernel';
import type { Topology } from '#libs/runtime';
import type { EventFilter } from '#libs/store/port';

/** Which records: every condition given has to hold, within one any entry will do. */
export interface AuditFilter {
  readonly categories?: readonly string[] | undefined;
  /** Names of streams, whatever their category. */
  readonly streams?: readonly string[] | undefined;
  /** Stored type names. */
  readonly types?: readonly string[] | undefined;
  readonly correlationIds?: readonly string[] | undefined;
}

/**
 * What happened stands in these. Views and snapshots only repeat it, and timers, checkpoints, retries and the like are
 * how it was handled: they are shown to whom names their category or stream.
 */
const kindsOfHistory: readonly StreamKind[] = ['clientOperation', 'internalOperation', 'operation', 'saga', 'event'];

/** What the store can leave out by itself. */
export function storeFilterOf({ categories, streams, types }: AuditFilter, topology: Topology<never>): EventFilter {
  const named = categories ?? (streams === undefined ? categoriesOfHistory(topology) : undefined);
  return {
    ...(named && { categories: named }),
    ...(streams && { streamPrefixes: streams }),
    ...(types && { types }),
  };
}

/** Tells what is left to be left out of what passes the store's filter. */
export function matcherOf({ streams, correlationIds }: AuditFilter): (record: RecordedEvent) => boolean {
  const names = streams && new Set(streams);
  const flows = correlationIds && new Set(correlationIds);
  return (record) => (names?.has(record.stream) ?? true) && (flows?.has(correlationOf(record)) ?? true);
}

function categoriesOfHistory(topology: Topology<never>): readonly string[] {
  return streamsOf(topology)
    .filter(({ kind }) => kindsOfHistory.includes(kind))
    .map(({ category }) => category);
}
