import {
  execute,
  loadAggregate,
  withMetadata,
  type ClientContext,
  type Executed,
  type KnownRevision,
} from '#libs/runtime';
import { MemberLists, pageAfter } from '../event/member-lists.js';
import { group, groupEvents, type GroupCommand, type GroupState } from '../event/group.js';

/** A group as the API shows it. */
export interface GroupView {
  readonly id: string;
  readonly name: string | null;
  /** Of members. */
  readonly count: number;
}

export interface DecidedGroup {
  readonly view: GroupView;
  readonly revision: bigint;
  /** Of the group's last event; undefined where the store does not tell. */
  readonly position: bigint | undefined;
}

export interface MembersPage {
  readonly recipientIds: readonly string[];
  /** There are more after these. */
  readonly more: boolean;
  /** Of the group that they are the members of. */
  readonly revision: bigint;
}

/** What an `If-Match` header asks for. */
export type RevisionCondition = bigint | 'streamExists' | undefined;

export interface GroupServices {
  readonly client: ClientContext<typeof groupEvents, typeof groupEvents>;
}

/** Decided writes and reads of groups. */
export class Groups {
  constructor(
    private readonly services: GroupServices,
    private readonly lists = new MemberLists(),
  ) {}

  /** The same, with the caller named in what is written. @param caller undefined: nobody has to say who they are */
  by(caller: string | undefined): Groups {
    if (caller === undefined) return this;
    return new Groups({ client: withMetadata(this.services.client, { caller }) }, this.lists);
  }

  /** @throws WrongExpectedRevision; Refused where it has to exist and does not */
  async put(
    id: string,
    name: string | null,
    ifMatch: RevisionCondition,
  ): Promise<DecidedGroup & { readonly created: boolean }> {
    const command = { type: 'put', name, mustExist: ifMatch !== undefined } as const;
    const { executed, existed } = await this.decide(id, command, ifMatch);
    return { ...decidedOf(id, executed), created: !existed };
  }

  /** Undefined where there is no such group. @throws WrongExpectedRevision */
  async changeMembers(
    id: string,
    add: readonly string[],
    remove: readonly string[],
    ifMatch: RevisionCondition,
  ): Promise<DecidedGroup | undefined> {
    const { executed, existed } = await this.decide(id, { type: 'changeMembers', add, remove }, ifMatch);
    return existed ? decidedOf(id, executed) : undefined;
  }

  /** Undefined where there is no such group. @throws WrongExpectedRevision */
  async delete(id: string, ifMatch: RevisionCondition): Promise<DecidedGroup | undefined> {
    const { executed, existed } = await this.decide(id, { type: 'delete' }, ifMatch);
    return existed ? decidedOf(id, executed) : undefined;
  }

  async get(id: string): Promise<DecidedGroup | undefined> {
    const loaded = await this.load(id);
    return loaded.state.exists ? decidedOf(id, loaded) : undefined;
  }

  /**
   * The members in the order of their ids, so that a page stays in its place while the group changes. Undefined where
   * there is no such group.
   */
  async members(id: string, after: string | undefined, limit: number): Promise<MembersPage | undefined> {
    const list = await this.lists.get(this.services.client, id);
    return list && { ...pageAfter(list.recipientIds, after, limit), revision: list.revision };
  }

  private load(id: string) {
    return loadAggregate<typeof groupEvents, GroupState>(this.services.client, groupEvents, group, id);
  }

  private async decide(
    id: string,
    command: GroupCommand,
    ifMatch: RevisionCondition,
  ): Promise<{ readonly executed: Executed<GroupState>; readonly existed: boolean }> {
    let existed = false;
    const watched: typeof group = {
      ...group,
      decide(state, asked) {
        existed = state.exists;
        return group.decide(state, asked);
      },
    };
    const revision = typeof ifMatch === 'bigint' ? ifMatch : undefined;
    const executed = await execute(this.services.client, groupEvents, watched, id, command, revision);
    return { executed, existed };
  }
}

function decidedOf(
  id: string,
  {
    state,
    revision,
    position,
  }: { readonly state: GroupState; readonly revision: KnownRevision; readonly position: bigint | undefined },
): DecidedGroup {
  return { view: { id, name: state.name, count: state.members.size }, revision: revision as bigint, position };
}
