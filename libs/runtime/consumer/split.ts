import { parse, streamName } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { runtimeInstallations } from '../streams.js';
import type { AnyHandler } from '../topology/handler.js';

/** How flows are split into partitions, until their number is changed again. */
export interface Split {
  /** Counts the changes. 0: as it was before any, in one partition. */
  readonly generation: number;
  readonly count: number;
  /** Position of the record that says so: what comes before it may have been handled under an earlier split. */
  readonly since: bigint;
  readonly before: Split | undefined;
}

/** As in a store that nobody has split. */
export const unsplit: Split = { generation: 0, count: 1, since: 0n, before: undefined };

/** What a store says of how its flows are split. */
export interface NotedSplit {
  readonly split: Split;
  /** A number of partitions that was announced and is not used yet. */
  readonly announced: number | undefined;
  /** Of the last record that says something of it. */
  readonly revision: bigint | 'noStream';
}

export const splitStream = streamName(runtimeInstallations, 'partitions');

/** @throws StoreUnavailable */
export async function readSplit(store: EventStore): Promise<NotedSplit> {
  let noted: NotedSplit = { split: unsplit, announced: undefined, revision: 'noStream' };
  for await (const record of store.readStream(splitStream)) {
    const { split } = noted;
    const { revision, position } = record;
    const { type, data } = parse(runtimeInstallations, record);
    if (type === 'runtime.partitions-changing.v1') noted = { split, announced: data.count, revision };
    else if (type === 'runtime.partitions-fixed.v1') {
      noted = { split: changed(split, data.count, position), announced: undefined, revision };
    }
  }
  return noted;
}

function changed(before: Split, count: number, since: bigint): Split {
  return count === before.count ? before : { generation: before.generation + 1, count, since, before };
}

/** Key of the streams in which a consumer keeps what it has done in a partition. */
export function bookkeepingKey(
  { name, partitioned }: Pick<AnyHandler, 'name' | 'partitioned'>,
  partition: number,
  { generation }: Split,
): string {
  if (!partitioned || generation === 0) return name;
  // Each change has books of its own: a number of partitions that comes back does not find those that it had.
  return generation === 1 ? `${name}.${partition}` : `${name}.${generation}.${partition}`;
}

/** Name of the consumer whose bookkeeping stands under the key. */
export function consumerOfKey(key: string): string {
  return key.replace(/(\.\d+)+$/, '');
}
