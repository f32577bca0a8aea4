import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  HttpStatus,
  Inject,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { FastifyReply } from 'fastify';
import type { Caller } from '#libs/access';
import {
  AskedBy,
  clearTextParameter,
  cursorOf,
  etagOf,
  limitParameter,
  Needs,
  notFound,
  onlyParameters,
  placeOf,
  preconditionFailed,
  revisionOf,
  tellPosition,
  textParameter,
  underCondition,
  validated,
} from '#libs/http';
import { Refused } from '#libs/kernel';
import { isId } from '#libs/validation';
import { noSuchGroup } from '../event/group.js';
import { ChangeGroupMembers, DeleteGroup, GetGroup, ListGroupMembers, PutGroup } from './commands.js';
import { ChangeMembersDto, PutGroupDto } from './group.dto.js';
import type { DecidedGroup, GroupView } from './groups.js';

interface MemberList {
  readonly items: readonly { readonly recipientId: string }[];
  readonly nextCursor: string | null;
}

/** Groups of recipients: decided writes, answered when they are done. */
@Controller('v1/groups')
export class GroupController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Put(':id')
  @Needs('groups:write')
  async put(
    @Param('id') id: string,
    @Body(validated(PutGroupDto)) { name = null }: PutGroupDto,
    @Headers('if-match') ifMatch: string | undefined,
    @AskedBy() caller: Caller | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GroupView> {
    const command = new PutGroup(clearTextParameter('id', id), name, revisionOf(ifMatch), caller?.name);
    const decided = await decide(ifMatch, () => this.commands.execute(command));
    void reply.code(decided.created ? HttpStatus.CREATED : HttpStatus.OK);
    return answer(reply, decided);
  }

  @Get(':id')
  @Needs('groups:read')
  async get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<GroupView> {
    return answer(reply, found(await this.queries.execute(new GetGroup(id))));
  }

  @Delete(':id')
  @Needs('groups:write')
  async delete(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @AskedBy() caller: Caller | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ readonly id: string; readonly deleted: true }> {
    const command = new DeleteGroup(clearTextParameter('id', id), revisionOf(ifMatch), caller?.name);
    answer(reply, found(await decide(ifMatch, () => this.commands.execute(command))));
    return { id, deleted: true };
  }

  /** In the order of their ids; under a condition all pages are of one revision. */
  @Get(':id/members')
  @Needs('groups:read')
  async members(
    @Param('id') id: string,
    @Query() query: Record<string, unknown>,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MemberList> {
    onlyParameters(query, 'cursor', 'limit');
    const cursor = textParameter('cursor', query['cursor']);
    const after = cursor === undefined ? undefined : placeOf(cursor, (place) => (isId(place) ? place : undefined));
    const wanted = revisionOf(ifMatch);
    const page = found(await this.queries.execute(new ListGroupMembers(id, after, limitParameter(query['limit']))));
    if (typeof wanted === 'bigint' && wanted !== page.revision) {
      throw preconditionFailed(`the group is at revision ${page.revision}, and not at ${wanted}`);
    }
    void reply.header('etag', etagOf(page.revision));
    const last = page.recipientIds.at(-1);
    return {
      items: page.recipientIds.map((recipientId) => ({ recipientId })),
      nextCursor: page.more && last !== undefined ? cursorOf(last) : null,
    };
  }

  /** Ids that are members already are not added again, and those that are none are not removed: that is no error. */
  @Post(':id/members')
  @Needs('groups:write')
  @HttpCode(HttpStatus.OK)
  async changeMembers(
    @Param('id') id: string,
    @Body(validated(ChangeMembersDto)) { add, remove }: ChangeMembersDto,
    @Headers('if-match') ifMatch: string | undefined,
    @AskedBy() caller: Caller | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GroupView> {
    const command = new ChangeGroupMembers(
      clearTextParameter('id', id),
      add ?? [],
      remove ?? [],
      revisionOf(ifMatch),
      caller?.name,
    );
    return answer(reply, found(await decide(ifMatch, () => this.commands.execute(command))));
  }
}

/** Where the caller named a revision, a group that is not there is the caller's business, too. */
async function decide<Result>(ifMatch: string | undefined, execute: () => Promise<Result>): Promise<Result> {
  try {
    return await underCondition(ifMatch, 'group', execute);
  } catch (error) {
    if (ifMatch !== undefined && error instanceof Refused && error.code === noSuchGroup) {
      throw preconditionFailed('there is no such group');
    }
    throw error;
  }
}

function found<Found>(result: Found | undefined): Found {
  if (result === undefined) throw notFound('there is no such group');
  return result;
}

function answer(reply: FastifyReply, { view, revision, position }: DecidedGroup): GroupView {
  void reply.header('etag', etagOf(revision));
  tellPosition(reply, position);
  return view;
}
