import { newId, parse, streamName, TidingsError } from '#libs/kernel';
import { WrongExpectedRevision, type EventStore } from '#libs/store/port';
import { runtimeInstallations } from '../streams.js';

/** The store's flows were split differently when it was first used. */
export class PartitionsDiffer extends TidingsError {
  readonly code = 'partitions-differ';
  constructor(
    readonly fixed: number,
    readonly wanted: number,
  ) {
    super(
      `the event store was set up with ${fixed} partitions and cannot be used with ${wanted}: set TIDINGS_PARTITIONS=${fixed}`,
    );
  }
}

/** Writes down, once and for all, into how many partitions flows are split. @throws PartitionsDiffer */
export async function fixPartitions(store: EventStore, count: number): Promise<void> {
  const stream = streamName(runtimeInstallations, 'partitions');
  try {
    await store.append(stream, 'noStream', [{ id: newId(), type: 'runtime.partitions-fixed.v1', data: { count } }]);
  } catch (error) {
    if (!(error instanceof WrongExpectedRevision)) throw error;
    for await (const record of store.readStream(stream, { limit: 1 })) {
      const { data } = parse(runtimeInstallations, record);
      if ('count' in data && data.count !== count) throw new PartitionsDiffer(data.count, count);
    }
  }
}
