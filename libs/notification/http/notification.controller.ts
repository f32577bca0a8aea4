import { Body, Controller, Get, Headers, HttpCode, HttpStatus, Inject, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '#libs/access';
import {
  AskedBy,
  demand,
  invalid,
  Needs,
  notFound,
  onlyParameters,
  tellPosition,
  traceparentOf,
  validated,
} from '#libs/http';
import type { NotificationSnapshot } from '../snapshot/notification-snapshot.js';
import { accept, type AcceptServices } from './accept.js';
import { BROADCASTS, isToOne, type Broadcasts } from './broadcasts.js';
import type { EventView } from './events.js';
import { PostNotificationDto } from './post-notification.dto.js';
import { NotificationQueries } from './queries.js';
import { refuseReusedKey, refuseUselessKey, sealedTextIn } from './refusals.js';

/** Injection token of `AcceptServices`. */
export const ACCEPT_SERVICES = Symbol('accept services');

export interface AcceptedDto {
  readonly id: string;
  readonly status: 'accepted';
  readonly href: string;
}

@Controller('v1/notifications')
export class NotificationController {
  constructor(
    @Inject(ACCEPT_SERVICES) private readonly services: AcceptServices,
    @Inject(NotificationQueries) private readonly queries: NotificationQueries,
    @Inject(BROADCASTS) private readonly broadcasts: Broadcasts,
  ) {}

  /** Queued: what becomes of it is an outcome, not an error of this request. */
  @Post()
  @Needs('notifications:write')
  @HttpCode(HttpStatus.ACCEPTED)
  async post(
    @Body(validated(PostNotificationDto)) dto: PostNotificationDto,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('traceparent') traceparent: string | undefined,
    @AskedBy() caller: Caller | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AcceptedDto> {
    if (!isToOne(dto)) demand(caller, 'broadcasts:write', 'to tell several recipients at once');
    const sealedText = sealedTextIn(dto);
    if (sealedText !== undefined) throw invalid([sealedText]);
    refuseUselessKey(idempotencyKey);
    const request = {
      caller: caller?.name,
      idempotencyKey,
      traceparent: traceparentOf(traceparent),
      now: Date.now(),
    };
    const accepting = isToOne(dto) ? accept(this.services, dto, request) : this.broadcasts.accept(dto, request);
    const { id, position, replayed } = await accepting.catch(refuseReusedKey);
    const href = `/v1/${isToOne(dto) ? 'notifications' : 'broadcasts'}/${id}`;
    void reply.header('location', href);
    tellPosition(reply, position);
    if (replayed) void reply.header('idempotency-replayed', 'true');
    return { id, status: 'accepted', href };
  }

  /** Every record of the notification, in the order in which it happened. */
  @Get(':id/events')
  @Needs('audit:read')
  async events(
    @Param('id') id: string,
    @Query() query: Record<string, unknown>,
  ): Promise<{ readonly items: readonly EventView[] }> {
    onlyParameters(query);
    const items = await this.queries.events(id);
    if (items === undefined) throw notFound('there is no such notification');
    return { items };
  }

  /** The aggregate at the end of the notification. */
  @Get(':id/snapshot')
  @Needs('notifications:read')
  async snapshot(@Param('id') id: string, @Query() query: Record<string, unknown>): Promise<NotificationSnapshot> {
    onlyParameters(query);
    const snapshot = await this.queries.snapshot(id);
    if (snapshot === undefined) throw notFound('there is no snapshot of such a notification yet');
    return snapshot;
  }
}
