import type { EventStore } from '#libs/store/port';
import { Checkpoints } from '../checkpoint/checkpoints.js';
import { Parked } from '../parking/parked.js';
import { Retries } from '../retry/retries.js';
import type { AnyHandler } from '../topology/handler.js';
import { partitionOf, partitionsOf } from './partitions.js';

/** A partition, see `PartitionParts`. */
interface Adopting {
  readonly store: EventStore;
  readonly handler: AnyHandler;
  readonly index: number;
  readonly count: number;
  readonly now: () => number;
}

/**
 * Begins a partition that has no checkpoint yet: with what the consumer has done while it was not split, if it ever ran
 * so. Copies what it had set aside of the partition's flows; answers where it was.
 */
export async function adopt(
  { store, handler, index, count, now }: Adopting,
  into: { readonly parked: Parked; readonly retries: Retries },
  signal: AbortSignal,
): Promise<bigint> {
  const partitions = partitionsOf(handler, count);
  if (partitions === 1) return 0n;
  const { name, strictOrder } = handler;
  const position = await new Checkpoints(store, name, signal).load();
  if (position === undefined) return 0n;
  const isMine = ({ correlationId }: { readonly correlationId: string }) =>
    partitionOf(correlationId, partitions) === index;

  const parked = new Parked(store, name, signal, now);
  await parked.load();
  for (const one of parked.list().filter(isMine)) {
    if (into.parked.has(one.record)) continue;
    into.retries.block(one);
    await into.parked.park(one);
  }
  for (const { archivedAt: _, ...one } of parked.listArchived().filter(isMine)) {
    if (into.parked.has(one.record)) continue;
    await into.parked.park(one);
    await into.parked.release(one.record, 'archived');
  }
  const retries = new Retries(store, name, strictOrder, now, signal, () => Promise.resolve());
  await retries.load(parked.list());
  for (const one of retries.list().filter(isMine)) if (!into.retries.has(one.record)) await into.retries.schedule(one);
  return position;
}
