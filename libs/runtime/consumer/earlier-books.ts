import { newId, streamName, type RecordedEvent } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { savedPosition } from '../checkpoint/saved-position.js';
import type { Lease } from '../lease/lease.js';
import { Parked } from '../parking/parked.js';
import { Retries } from '../retry/retries.js';
import { runtimeParked, runtimeRetries } from '../streams.js';
import type { AnyHandler } from '../topology/handler.js';
import { partitionOf, partitionsOf } from './partitions.js';
import { bookkeepingKey, type Split } from './split.js';

/** A split, and how far a consumer was in each of its partitions; undefined where it has not begun one. */
interface Reached {
  readonly split: Split;
  readonly checkpoints: readonly (bigint | undefined)[];
}

/** A partition that begins. */
interface Beginning {
  readonly isMine: (flow: string) => boolean;
  readonly parked: Parked;
  readonly retries: Retries;
  readonly lease: Lease | undefined;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * What a consumer has done while its flows were split differently. Nobody writes that any more, so it is the same whenever
 * it is read.
 */
export class EarlierBooks {
  /** Every record up to here is done with. */
  readonly position: bigint;
  /** No record after it was done with. */
  private readonly end: bigint;

  private constructor(
    private readonly store: EventStore,
    private readonly handler: AnyHandler,
    /** The last one first. */
    private readonly reached: readonly Reached[],
  ) {
    const positions = reached.map(({ checkpoints }) => checkpoints.map((checkpoint) => checkpoint ?? 0n));
    this.position = highest(positions.map((all) => all.reduce((least, one) => (one < least ? one : least))));
    this.end = highest(positions.flat());
  }

  /** @param last the split before the one that holds */
  static async load(store: EventStore, handler: AnyHandler, last: Split | undefined): Promise<EarlierBooks> {
    const reached: Reached[] = [];
    for (let split = last; split !== undefined; split = split.before) {
      const keys = keysOf(handler, split);
      reached.push({ split, checkpoints: await Promise.all(keys.map((key) => savedPosition(store, key))) });
    }
    return new EarlierBooks(store, handler, reached);
  }

  /** Whether a record was handled, or set aside: the partition of its flow has passed it, however flows were split then. */
  isDone(flow: string, position: bigint): boolean {
    if (position <= this.position) return true;
    if (position > this.end) return false;
    return this.reached.some(({ split, checkpoints }) => {
      const checkpoint = checkpoints[partitionOf(flow, split.count)];
      return checkpoint !== undefined && position <= checkpoint;
    });
  }

  /** Copies what was set aside of a partition's flows. Killed in between, it may be repeated. */
  async adopt(into: Beginning): Promise<void> {
    for (const [index, { split, checkpoints }] of this.reached.entries()) {
      const later = this.reached.slice(0, index);
      const counts = ({ correlationId: flow }: { readonly correlationId: string }) =>
        into.isMine(flow) && !later.some((one) => hasBegun(one, flow));
      for (const [partition, key] of keysOf(this.handler, split).entries()) {
        // One that was never begun says nothing: what was before it counts.
        if (checkpoints[partition] === undefined && split.before !== undefined) continue;
        await this.copy(key, counts, into);
      }
    }
  }

  private async copy(
    key: string,
    counts: (one: { readonly correlationId: string }) => boolean,
    { parked, retries, lease, now, signal }: Beginning,
  ): Promise<void> {
    const { store, handler } = this;
    if (lease !== undefined) await this.fence(key, lease);
    const earlierParked = new Parked(store, key, signal, now);
    await earlierParked.load();
    for (const one of earlierParked.list().filter(counts)) {
      if (parked.has(one.record)) continue;
      retries.block(one);
      // What operators have asked for names it by this id.
      await parked.park(one, earlierParked.parkingOf(one.record));
    }
    for (const one of earlierParked.listArchived().filter(counts)) await parked.keepArchived(one);
    const earlierRetries = new Retries(store, key, handler.strictOrder, now, signal, () => Promise.resolve());
    await earlierRetries.load(earlierParked.list());
    for (const one of earlierRetries.list().filter(counts)) if (!retries.has(one.record)) await retries.schedule(one);
  }

  /** A process that was given up for dead while it wrote there does not write any more, unnoticed. */
  private async fence(key: string, lease: Lease): Promise<void> {
    const { epoch } = lease;
    for (const [definition, type] of [
      [runtimeParked, 'runtime.parked-taken-over.v1'],
      [runtimeRetries, 'runtime.retry-taken-over.v1'],
    ] as const) {
      const stream = streamName(definition, key);
      if ((await lastOf(this.store, stream)) === undefined) continue;
      lease.check();
      await this.store.append(stream, 'any', [{ id: newId(), type, data: { epoch } }]);
    }
  }
}

function keysOf(handler: AnyHandler, split: Split): readonly string[] {
  const length = partitionsOf(handler, split.count);
  return Array.from({ length }, (_, partition) => bookkeepingKey(handler, partition, split));
}

async function lastOf(store: EventStore, stream: string): Promise<RecordedEvent | undefined> {
  for await (const record of store.readStream(stream, { direction: 'backwards', limit: 1 })) return record;
  return undefined;
}

function hasBegun({ split, checkpoints }: Reached, flow: string): boolean {
  return checkpoints[partitionOf(flow, split.count)] !== undefined;
}

function highest(positions: readonly bigint[]): bigint {
  return positions.reduce((highest, one) => (one > highest ? one : highest), 0n);
}
