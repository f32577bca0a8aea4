import type { Metadata, RecordedEvent } from '#libs/kernel';
import { migratedFrom, originOf, type NewEvent } from '#libs/store/port';
import type { Positions } from './positions.js';

/**
 * Where in the data of a record there is a position of the store, as names from the outside in; undefined where there is
 * none. Positions mean something in their own store only.
 */
export type PositionIn = (record: Pick<RecordedEvent, 'stream' | 'type'>) => readonly string[] | undefined;

/** The data as the other store is to hold it. */
export function translated(record: RecordedEvent, positionIn: PositionIn, positions: Positions): unknown {
  const path = positionIn(record);
  return path === undefined ? record.data : replaced(record.data, path, positions);
}

function replaced(data: unknown, [name, ...rest]: readonly string[], positions: Positions): unknown {
  if (name === undefined) return typeof data === 'string' ? String(positions.translate(BigInt(data))) : data;
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, name)) return data;
  // In the same order, so that the JSON differs in nothing else.
  return { ...data, [name]: replaced((data as Record<string, unknown>)[name], rest, positions) };
}

/** The event to append. */
export function copyOf(record: RecordedEvent, data: unknown): NewEvent {
  const { id, type, position, revision, created } = record;
  const origin = { position: String(position), revision: String(revision), created };
  return { id, type, data, metadata: { ...withoutOrigin(record.metadata), [migratedFrom]: origin } };
}

/** Where it came from before does not matter any more. */
export function withoutOrigin(metadata: Metadata): Metadata {
  if (originOf(metadata) === undefined) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== migratedFrom));
}
