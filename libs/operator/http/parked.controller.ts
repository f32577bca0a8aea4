import { Body, Controller, Get, HttpStatus, Inject, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  invalid,
  limitParameter,
  Needs,
  noBody,
  onlyParameters,
  textParameter,
  validated,
  verb,
  type RecordView,
} from '#libs/http';
import { OPERATOR_SERVICES, type OperatorServices } from '../operator-services.js';
import { cursorAfter, pageEndOf } from '../parked/cursor.js';
import { parkedStates, type ParkedItem, type ParkedState } from '../parked/parked-item.js';
import { ParkedRecords, type Redriven } from '../parked/parked-records.js';
import { findRecord, viewOf } from '../records.js';
import { RedriveDto } from './redrive.dto.js';

const filters = ['consumer', 'type', 'stream', 'correlationId', 'error'] as const;

export interface ParkedPage {
  readonly items: readonly ParkedItem[];
  /** Null where nothing follows. */
  readonly nextCursor: string | null;
  /** Parked records that no page has; only where there are more than one process keeps. */
  readonly omitted?: number;
}

/** With the record as a whole, or null where the store does not hold it any more. */
export type ParkedDetail = ParkedItem & { readonly event: RecordView | null };

/** The records that the consumers have given up, of all processes that share the store. */
@Controller()
export class ParkedController {
  private readonly parked: ParkedRecords;

  constructor(@Inject(OPERATOR_SERVICES) private readonly services: OperatorServices) {
    this.parked = new ParkedRecords(services.runtime.oversight);
  }

  @Get('v1/parked')
  @Needs('operate')
  async list(@Query() query: Record<string, unknown>): Promise<ParkedPage> {
    onlyParameters(query, ...filters, 'state', 'limit', 'cursor');
    const cursor = textParameter('cursor', query['cursor']);
    const filter = Object.fromEntries(filters.map((name) => [name, textParameter(name, query[name])]));
    this.refuseUnknown('consumer', filter['consumer']);
    const { items, end, omitted } = await this.parked.page(
      stateParameter(query['state']),
      filter,
      limitParameter(query['limit']),
      cursor === undefined ? undefined : pageEndOf(cursor),
    );
    return { items, nextCursor: end === undefined ? null : cursorAfter(end), ...(omitted > 0 && { omitted }) };
  }

  @Get('v1/parked/:id')
  @Needs('operate')
  async get(@Param('id') id: string, @Query() query: Record<string, unknown>): Promise<ParkedDetail> {
    onlyParameters(query);
    const item = await this.parked.find(id);
    const { stream, revision, id: eventId } = item.record;
    const record = await findRecord(this.services.store, stream, BigInt(revision));
    return { ...item, event: record?.id === eventId ? await viewOf(this.services, record) : null };
  }

  /**
   * Answered when they are on disk as records to be tried again: 202 where another process has not done that yet with all of
   * them, and will.
   */
  @Post(verb('v1/parked', 'redrive'))
  @Needs('operate')
  async redrive(
    @Body(validated(RedriveDto)) dto: RedriveDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Redriven & { readonly dryRun: boolean }> {
    const dryRun = dto.dryRun ?? false;
    this.refuseUnknown('filter.consumer', dto.filter.consumer);
    const redriven = await this.parked.redrive(dto.filter, dryRun);
    void reply.code(statusOf(redriven.pending !== undefined));
    return { dryRun, ...redriven };
  }

  /** Answered when it is on disk: 202 where another process has not done it yet, and will. */
  @Post(verb('v1/parked/:id', 'archive'))
  @Needs('operate')
  async archive(
    @Param('id') id: string,
    @Body(noBody) _body: void,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ParkedItem> {
    const { item, isPending } = await this.parked.archive(id);
    void reply.code(statusOf(isPending));
    return item;
  }

  /** A name that is misspelt would look as if nothing were parked. */
  private refuseUnknown(path: string, consumer: string | null | undefined): void {
    if (consumer == null || this.services.runtime.oversight.knows(consumer)) return;
    throw invalid([{ path, message: 'must be the name of a consumer' }]);
  }
}

function statusOf(isPending: boolean): HttpStatus {
  return isPending ? HttpStatus.ACCEPTED : HttpStatus.OK;
}

function stateParameter(value: unknown): ParkedState {
  const text = textParameter('state', value) ?? 'parked';
  const state = parkedStates.find((known) => known === text);
  if (state === undefined) throw invalid([{ path: 'state', message: `must be one of ${parkedStates.join(', ')}` }]);
  return state;
}
