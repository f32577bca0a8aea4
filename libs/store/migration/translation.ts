import type { Metadata, RecordedEvent } from '#libs/kernel';
import { migratedFrom, originOf, type NewEvent } from '#libs/store/port';
import type { Positions } from './positions.js';

/**
 * Where in the data of a record there is a position of the store, as names from the outside in; undefined where there is
 * none. Positions mean something in their own store only.
 */
export type PositionIn = (record: Pick<RecordedEvent, 'stream' | 'type'>) => readonly string[] | undefined;

/** The position that a record names; undefined where it names none. */
export function positionNamedBy(record: RecordedEvent, positionIn: PositionIn): bigint | undefined {
  let named: unknown = record.data;
  const path = positionIn(record);
  if (path === undefined) return undefined;
  for (const name of path) named = hasField(named, name) ? named[name] : undefined;
  return typeof named === 'string' ? BigInt(named) : undefined;
}

/** The data as the other store is to hold it. */
export function translated(record: RecordedEvent, positionIn: PositionIn, positions: Positions): unknown {
  const path = positionIn(record);
  return path === undefined ? record.data : replaced(record.data, path, positions);
}

function replaced(data: unknown, [name, ...rest]: readonly string[], positions: Positions): unknown {
  if (name === undefined) return typeof data === 'string' ? String(positions.translate(BigInt(data))) : data;
  if (!hasField(data, name)) return data;
  // In the same order, so that the JSON differs in nothing else.
  return { ...data, [name]: replaced(data[name], rest, positions) };
}

function hasField(data: unknown, name: string): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && Object.hasOwn(data, name);
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
