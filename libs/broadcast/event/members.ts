import { LRUCache } from 'lru-cache';
import { loadMembers, type groupEvents } from '#libs/group';
import type { StreamReader } from '#libs/runtime';
import { broadcastClientOperations } from '../operations/client.js';
import type { BroadcastRequested } from './broadcast.js';

type Reader = StreamReader<typeof broadcastClientOperations | typeof groupEvents>;

/** Ids that are remembered, at some 100 bytes each; of a larger group they are read again for every page. */
const mostRemembered = 200_000;

/** Whom broadcasts tell, in the order that gives each member an ordinal: always the same for the same broadcast. */
export class Members {
  private readonly ofGroups = new LRUCache<string, readonly string[]>({
    maxSize: mostRemembered,
    sizeCalculation: (ids) => ids.length + 1,
  });

  /** Some of the recipients' ids, from an ordinal on. */
  async read(
    reader: Reader,
    broadcastId: string,
    { groupId, groupRevision }: BroadcastRequested,
    firstOrdinal: number,
    count: number,
  ): Promise<string[]> {
    const ids =
      groupId === null
        ? await readNamed(reader, broadcastId)
        : groupRevision === null
          ? []
          : await this.ofGroup(reader, groupId, BigInt(groupRevision));
    return ids.slice(firstOrdinal, firstOrdinal + count);
  }

  private async ofGroup(reader: Reader, groupId: string, revision: bigint): Promise<readonly string[]> {
    const key = `${revision}/${groupId}`;
    const known = this.ofGroups.get(key);
    if (known !== undefined) return known;
    const ids = await loadMembers(reader, groupId, revision);
    this.ofGroups.set(key, ids);
    return ids;
  }
}

async function readNamed(reader: Reader, broadcastId: string): Promise<readonly string[]> {
  const [operation] = await reader.read(broadcastClientOperations, broadcastId);
  return operation?.data.recipientIds ?? [];
}
