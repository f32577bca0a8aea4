import { parse, streamName } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import { runtimeCheckpoints } from '../streams.js';

/**
 * The last checkpoint of a partition, whichever process has it; undefined where it has none.
 * @param key of its bookkeeping
 * @throws StoreUnavailable
 */
export async function savedPosition(store: Pick<EventStore, 'readStream'>, key: string): Promise<bigint | undefined> {
  const stream = streamName(runtimeCheckpoints, key);
  for await (const record of store.readStream(stream, { direction: 'backwards', limit: 1 })) {
    return BigInt(parse(runtimeCheckpoints, record).data.position);
  }
  return undefined;
}
