import { Inject } from '@nestjs/common';
import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import { Groups, type DecidedGroup, type MembersPage, type RevisionCondition } from './groups.js';

export class PutGroup extends Command<DecidedGroup & { readonly created: boolean }> {
  constructor(
    readonly id: string,
    readonly name: string | null,
    readonly ifMatch: RevisionCondition,
    readonly caller: string | undefined,
  ) {
    super();
  }
}

export class ChangeGroupMembers extends Command<DecidedGroup | undefined> {
  constructor(
    readonly id: string,
    readonly add: readonly string[],
    readonly remove: readonly string[],
    readonly ifMatch: RevisionCondition,
    readonly caller: string | undefined,
  ) {
    super();
  }
}

export class DeleteGroup extends Command<DecidedGroup | undefined> {
  constructor(
    readonly id: string,
    readonly ifMatch: RevisionCondition,
    readonly caller: string | undefined,
  ) {
    super();
  }
}

export class GetGroup extends Query<DecidedGroup | undefined> {
  constructor(readonly id: string) {
    super();
  }
}

export class ListGroupMembers extends Query<MembersPage | undefined> {
  constructor(
    readonly id: string,
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@CommandHandler(PutGroup)
export class PutGroupHandler implements ICommandHandler<PutGroup> {
  constructor(@Inject(Groups) private readonly groups: Groups) {}

  execute({ id, name, ifMatch, caller }: PutGroup): ReturnType<Groups['put']> {
    return this.groups.by(caller).put(id, name, ifMatch);
  }
}

@CommandHandler(ChangeGroupMembers)
export class ChangeGroupMembersHandler implements ICommandHandler<ChangeGroupMembers> {
  constructor(@Inject(Groups) private readonly groups: Groups) {}

  execute({ id, add, remove, ifMatch, caller }: ChangeGroupMembers): ReturnType<Groups['changeMembers']> {
    return this.groups.by(caller).changeMembers(id, add, remove, ifMatch);
  }
}

@CommandHandler(DeleteGroup)
export class DeleteGroupHandler implements ICommandHandler<DeleteGroup> {
  constructor(@Inject(Groups) private readonly groups: Groups) {}

  execute({ id, ifMatch, caller }: DeleteGroup): ReturnType<Groups['delete']> {
    return this.groups.by(caller).delete(id, ifMatch);
  }
}

@QueryHandler(GetGroup)
export class GetGroupHandler implements IQueryHandler<GetGroup> {
  constructor(@Inject(Groups) private readonly groups: Groups) {}

  execute({ id }: GetGroup): ReturnType<Groups['get']> {
    return this.groups.get(id);
  }
}

@QueryHandler(ListGroupMembers)
export class ListGroupMembersHandler implements IQueryHandler<ListGroupMembers> {
  constructor(@Inject(Groups) private readonly groups: Groups) {}

  execute({ id, after, limit }: ListGroupMembers): ReturnType<Groups['members']> {
    return this.groups.members(id, after, limit);
  }
}
