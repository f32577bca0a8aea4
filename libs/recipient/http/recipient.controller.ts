import { Body, Controller, Delete, Get, Headers, HttpStatus, Inject, Param, Put, Query, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { FastifyReply } from 'fastify';
import type { Caller } from '#libs/access';
import {
  AskedBy,
  asOfParameter,
  clearTextParameter,
  etagOf,
  Needs,
  notFound,
  onlyParameters,
  revisionOf,
  tellPosition,
  underCondition,
  validated,
} from '#libs/http';
import { EraseRecipient, GetRecipient, PutRecipient } from './commands.js';
import { PutRecipientDto } from './put-recipient.dto.js';
import type { Decided, RecipientView } from './recipients.js';

/** Recipients: decided writes, answered when they are done. */
@Controller('v1/recipients')
export class RecipientController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Put(':id')
  @Needs('recipients:write')
  async put(
    @Param('id') id: string,
    @Body(validated(PutRecipientDto)) dto: PutRecipientDto,
    @Headers('if-match') ifMatch: string | undefined,
    @AskedBy() caller: Caller | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RecipientView> {
    const command = new PutRecipient(clearTextParameter('id', id), dto, revisionOf(ifMatch), caller?.name);
    const decided = await underCondition(ifMatch, 'recipient', () => this.commands.execute(command));
    void reply.code(decided.created ? HttpStatus.CREATED : HttpStatus.OK);
    return answer(reply, decided);
  }

  @Get(':id')
  @Needs('recipients:read')
  async get(
    @Param('id') id: string,
    @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RecipientView> {
    onlyParameters(query, 'asOf');
    const asOf = asOfParameter(query['asOf']);
    const found = await this.queries.execute(new GetRecipient(id, asOf));
    if (found === undefined) {
      throw notFound(asOf ? 'there was no such recipient at that moment' : 'there is no such recipient');
    }
    return answer(reply, found);
  }

  /** Destroys the recipient's personal data everywhere. Repeated, it answers the same. */
  @Delete(':id')
  @Needs('recipients:erase')
  async erase(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @AskedBy() caller: Caller | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ readonly id: string; readonly erased: true }> {
    const command = new EraseRecipient(clearTextParameter('id', id), revisionOf(ifMatch), caller?.name);
    const decided = await underCondition(ifMatch, 'recipient', () => this.commands.execute(command));
    if (decided === undefined) throw notFound('there is no such recipient');
    answer(reply, decided);
    return { id, erased: true };
  }
}

function answer<Result>(reply: FastifyReply, { result, revision, position }: Decided<Result>): Result {
  void reply.header('etag', etagOf(revision));
  tellPosition(reply, position);
  return result;
}
