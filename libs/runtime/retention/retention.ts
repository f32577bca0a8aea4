import { streamName } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { partitionsOf } from '../consumer/partitions.js';
import { bookkeepingKey, unsplit, type Split } from '../consumer/split.js';
import { identityOf, runtimeCheckpoints, runtimeParked, runtimeRetries } from '../streams.js';
import { StreamAccess } from '../topology/access.js';
import type { AnyHandler } from '../topology/handler.js';
import type { Topology } from '../topology/topology.js';

/**
 * Truncates what the topology's retentions allow. It may be repeated, and be done by several processes at a time.
 * @param split how flows are split in this store
 * @throws StoreUnavailable, InvalidRecord
 */
export async function truncateStreams(store: EventStore, { streams }: Topology<never>, split = unsplit): Promise<void> {
  for (const { stream, consumers, retention } of streams) {
    if (retention === undefined) continue;
    const grant = { name: `retention of ${stream.category}`, reads: [], looksUp: retention.looksUp, writes: [] };
    for (const { key, before, after } of await retention.expendable(new StreamAccess(store, grant))) {
      const name = streamName(stream, key);
      const metadata = await store.getStreamMetadata(name);
      if ((metadata.truncateBefore ?? 0n) >= before) continue;
      if (await areDone(store, consumers, split, after))
        await store.setStreamMetadata(name, { ...metadata, truncateBefore: before });
    }
  }
}

/** Clients have nothing to catch up with. */
async function areDone(
  store: EventStore,
  consumers: readonly AnyHandler[],
  split: Split,
  position: bigint,
): Promise<boolean> {
  for (const consumer of consumers.filter(({ reads }) => reads.length > 0)) {
    const count = partitionsOf(consumer, split.count);
    for (let partition = 0; partition < count; partition += 1) {
      if (!(await isDone(store, bookkeepingKey(consumer, partition, split), position))) return false;
    }
  }
  return true;
}

/** @param consumer as its bookkeeping is named */
async function isDone(store: EventStore, consumer: string, position: bigint): Promise<boolean> {
  const grant = { name: consumer, reads: [], looksUp: [runtimeCheckpoints, runtimeRetries, runtimeParked], writes: [] };
  const access = new StreamAccess(store, grant);
  const checkpoint = await access.last(runtimeCheckpoints, consumer);
  if (checkpoint === undefined || BigInt(checkpoint.data.position) < position) return false;
  // A record that is parked or redriven meanwhile stands in the one before it leaves the other: retries are read twice.
  for (const left of [retryingIn, parkedIn, retryingIn]) {
    for (const one of (await left(access, consumer)).values()) if (one <= position) return false;
  }
  return true;
}

/** Positions of the records that are tried again. */
async function retryingIn(access: StreamAccess, consumer: string): Promise<ReadonlyMap<string, bigint>> {
  const left = new Map<string, bigint>();
  for (const { type, data } of await access.read(runtimeRetries, consumer)) {
    if (type === 'runtime.retry-scheduled.v1') left.set(identityOf(data.record), BigInt(data.record.position));
    else if (type === 'runtime.retry-ended.v1') {
      left.delete(identityOf({ stream: data.stream, id: data.recordId }));
    }
  }
  return left;
}

/** Positions of the records that are given up, and may be redriven. */
async function parkedIn(access: StreamAccess, consumer: string): Promise<ReadonlyMap<string, bigint>> {
  const left = new Map<string, bigint>();
  for (const { type, data } of await access.read(runtimeParked, consumer)) {
    if (type === 'runtime.record-parked.v1') left.set(identityOf(data.record), BigInt(data.record.position));
    else if (type !== 'runtime.parked-taken-over.v1')
      left.delete(identityOf({ stream: data.stream, id: data.recordId }));
  }
  return left;
}
