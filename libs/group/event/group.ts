import { IsArray, IsOptional, IsString } from 'class-validator';
import { defineStream, Refused, type Decider, type MessageOf } from '#libs/kernel';
import { schemaOf } from '#libs/validation';

// 1. Events: these names and shapes are the storage format.

export class GroupCreated {
  @IsOptional()
  @IsString()
  name!: string | null;
}

export class GroupRenamed extends GroupCreated {}

/** Holds what changed, not what the group came to. */
export class GroupMembersChanged {
  @IsArray()
  @IsString({ each: true })
  added!: string[];

  @IsArray()
  @IsString({ each: true })
  removed!: string[];
}

export class GroupDeleted {}

export const groupEvents = defineStream('group', 'event', {
  'group.created.v1': schemaOf(GroupCreated),
  'group.renamed.v1': schemaOf(GroupRenamed),
  'group.members-changed.v1': schemaOf(GroupMembersChanged),
  'group.deleted.v1': schemaOf(GroupDeleted),
});
export type GroupEvent = MessageOf<typeof groupEvents>;

// 2. State.

export interface GroupState {
  readonly exists: boolean;
  readonly name: string | null;
  /**
   * Recipient ids in the order in which they came. It changes in place as the state is folded: a copy for every event
   * would make loading a group take the square of its size. So a state that was folded further is not used any more.
   */
  readonly members: Set<string>;
}

// 3. Commands.

export type GroupCommand =
  /** @param mustExist refuses to make it */
  | { readonly type: 'put'; readonly name: string | null; readonly mustExist: boolean }
  | { readonly type: 'changeMembers'; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly type: 'delete' };

/** Code of the refusal to rename a group that does not exist. */
export const noSuchGroup = 'no-such-group';

// 4. Decisions. Of a group that does not exist, nothing is changed or deleted.

export const group: Decider<GroupState, GroupCommand, GroupEvent> = {
  initial: () => ({ exists: false, name: null, members: new Set() }),

  evolve(state, event) {
    switch (event.type) {
      case 'group.created.v1':
      case 'group.renamed.v1':
        return { ...state, exists: true, name: event.data.name };
      case 'group.members-changed.v1':
        for (const id of event.data.removed) state.members.delete(id);
        for (const id of event.data.added) state.members.add(id);
        return state;
      case 'group.deleted.v1':
        return group.initial();
    }
  },

  decide(state, command) {
    switch (command.type) {
      case 'put': {
        const { name, mustExist } = command;
        if (!state.exists && mustExist) throw new Refused(noSuchGroup, 'there is no such group');
        if (!state.exists) return [{ type: 'group.created.v1', data: { name } }];
        return state.name === name ? [] : [{ type: 'group.renamed.v1', data: { name } }];
      }
      case 'changeMembers': {
        const added = command.add.filter((id) => !state.members.has(id));
        const removed = command.remove.filter((id) => state.members.has(id));
        if (!state.exists || added.length + removed.length === 0) return [];
        return [{ type: 'group.members-changed.v1', data: { added, removed } }];
      }
      case 'delete':
        return state.exists ? [{ type: 'group.deleted.v1', data: {} }] : [];
    }
  },
};
