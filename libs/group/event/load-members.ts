import { loadAggregate, type KnownRevision, type StreamReader } from '#libs/runtime';
import { group, groupEvents, type GroupState } from './group.js';

/**
 * The ids of a group's members in the order in which they came, the same whenever it is asked for the same revision.
 * Takes memory for each id: some 100 bytes.
 * @param upTo the revision of the group to look at
 * @throws InvalidRecord
 */
export async function loadMembers(
  reader: StreamReader<typeof groupEvents>,
  groupId: string,
  upTo: bigint,
): Promise<readonly string[]> {
  const { state } = await loadAggregate<typeof groupEvents, GroupState>(reader, groupEvents, group, groupId, upTo);
  return [...state.members];
}

/** What is to be known of a group without its members; undefined where it does not exist. @throws InvalidRecord */
export async function loadGroup(
  reader: StreamReader<typeof groupEvents>,
  groupId: string,
): Promise<{ readonly revision: bigint; readonly count: number } | undefined> {
  const { state, revision } = await loadAggregate<typeof groupEvents, GroupState>(reader, groupEvents, group, groupId);
  return state.exists
    ? { revision: revision as Exclude<KnownRevision, 'noStream'>, count: state.members.size }
    : undefined;
}
