import { LRUCache } from 'lru-cache';
import { loadAggregate, type StreamReader } from '#libs/runtime';
import { group, groupEvents, type GroupState } from './group.js';

/** The members of a group as of a revision, in the order of their ids. */
export interface MemberList {
  readonly revision: bigint;
  readonly recipientIds: readonly string[];
}

/** Ids that are kept in memory, of all groups together, at some 100 bytes each. A larger group is read anew for each page. */
const mostKept = 500_000;

/**
 * The members of the groups that were listed last: a group is folded once for all pages of its list, as long as it does not
 * change. Whether it has is asked of its stream each time.
 */
export class MemberLists {
  private readonly kept = new LRUCache<string, MemberList>({
    maxSize: mostKept,
    sizeCalculation: ({ recipientIds }) => recipientIds.length + 1,
  });

  /** Undefined where there is no such group. @throws InvalidRecord */
  async get(reader: StreamReader<typeof groupEvents>, groupId: string): Promise<MemberList | undefined> {
    const last = await reader.last(groupEvents, groupId);
    if (last === undefined) return undefined;
    const kept = this.kept.get(groupId);
    if (kept?.revision === last.revision) return kept;
    const { revision } = last;
    const { state } = await loadAggregate<typeof groupEvents, GroupState>(
      reader,
      groupEvents,
      group,
      groupId,
      revision,
    );
    if (!state.exists) return undefined;
    const list = { revision, recipientIds: [...state.members].sort(inOrder) };
    this.kept.set(groupId, list);
    return list;
  }
}

/** Up to `limit` members after that one. */
export function pageAfter(
  recipientIds: readonly string[],
  after: string | undefined,
  limit: number,
): { readonly recipientIds: readonly string[]; readonly more: boolean } {
  let low = 0;
  let high = after === undefined ? 0 : recipientIds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (recipientIds[middle]! > after!) high = middle;
    else low = middle + 1;
  }
  return { recipientIds: recipientIds.slice(low, low + limit), more: low + limit < recipientIds.length };
}

function inOrder(one: string, other: string): number {
  return one < other ? -1 : 1;
}
