import { keyOf, parse, TidingsError, type RecordedEvent } from '#libs/kernel';
import { runtimeLeases, runtimeMembers } from '../streams.js';
import type { Told } from './lease-book.js';
import { handlerGroups, type Slot } from './slot.js';

/** What a record tells of who is alive and who has what; undefined where no process can have said that. */
export function toldBy(record: RecordedEvent): Told | undefined {
  try {
    if (record.stream.startsWith(`${runtimeMembers.category}-`)) {
      const member = keyOf(record.stream);
      const { type, data } = parse(runtimeMembers, record);
      if (type === 'runtime.member-left.v1') return { type: 'left', member };
      const groups = handlerGroups.filter((group) => data.groups.includes(group));
      return { type: 'alive', member, beat: data.beat, groups };
    }
    const { type, data, revision } = parse(runtimeLeases, record);
    const slot = keyOf(record.stream) as Slot;
    return { type: type === 'runtime.lease-taken.v1' ? 'taken' : 'released', slot, revision, ...data };
  } catch (error) {
    if (error instanceof TidingsError) return undefined;
    throw error;
  }
}
