import { Body, Controller, Get, Headers, HttpCode, HttpStatus, Inject, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { invalid, notFound, onlyParameters, traceparentOf, validated } from '#libs/http';
import { isHeaderSafe } from '#libs/validation';
import { sealedPrefix } from '#libs/vault';
import type { NotificationSnapshot } from '../snapshot/notification-snapshot.js';
import { IdempotencyKeyReused } from './accept-once.js';
import { accept, type AcceptServices } from './accept.js';
import { BROADCASTS, isToOne, type Broadcasts } from './broadcasts.js';
import type { EventView } from './events.js';
import { PostNotificationDto } from './post-notification.dto.js';
import { NotificationQueries } from './queries.js';

/** Injection token of `AcceptServices`. */
export const ACCEPT_SERVICES = Symbol('accept services');

/** Scope of idempotency keys while there is no authentication. */
const anybody = 'anybody';

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
  @HttpCode(HttpStatus.ACCEPTED)
  async post(
    @Body(validated(PostNotificationDto)) dto: PostNotificationDto,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('traceparent') traceparent: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AcceptedDto> {
    refuseSealedText(dto);
    refuseUselessKey(idempotencyKey);
    try {
      const request = {
        caller: anybody,
        idempotencyKey,
        traceparent: traceparentOf(traceparent),
        now: Date.now(),
      };
      const { id, position, replayed } = isToOne(dto)
        ? await accept(this.services, dto, request)
        : await this.broadcasts.accept(dto, request);
      const href = `/v1/${isToOne(dto) ? 'notifications' : 'broadcasts'}/${id}`;
      void reply.header('location', href);
      if (position !== undefined) void reply.header('tidings-position', String(position));
      if (replayed) void reply.header('idempotency-replayed', 'true');
      return { id, status: 'accepted', href };
    } catch (error) {
      if (!(error instanceof IdempotencyKeyReused)) throw error;
      throw invalid([
        {
          path: 'Idempotency-Key',
          message: 'was used before, with another body or for a recipient that was erased since',
        },
      ]);
    }
  }

  /** Every record of the notification, in the order in which it happened. */
  @Get(':id/events')
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
  async snapshot(@Param('id') id: string, @Query() query: Record<string, unknown>): Promise<NotificationSnapshot> {
    onlyParameters(query);
    const snapshot = await this.queries.snapshot(id);
    if (snapshot === undefined) throw notFound('there is no snapshot of such a notification yet');
    return snapshot;
  }
}

function refuseUselessKey(key: string | undefined): void {
  if (key === undefined || (key.length >= 1 && key.length <= 255 && isHeaderSafe(key))) return;
  throw invalid([{ path: 'Idempotency-Key', message: 'must be 1 to 255 printable characters' }]);
}

/** What stands in records in clear must not look sealed: whoever reads the records would have it opened. */
function refuseSealedText({ recipientId, recipientIds, groupId, category, about, tags }: PostNotificationDto): void {
  const texts: [path: string, text: string | null | undefined][] = [
    ['recipientId', recipientId],
    ...(recipientIds ?? []).map((id, index): [string, string] => [`recipientIds[${index}]`, id]),
    ['groupId', groupId],
    ['category', category],
    ['about.processId', about?.processId],
    ['about.entityType', about?.entityType],
    ['about.entityId', about?.entityId],
    ...Object.entries(tags ?? {}).map(([name, text]): [string, string] => [`tags.${name}`, text]),
  ];
  const path = texts.find(([, text]) => text?.startsWith(sealedPrefix))?.[0];
  if (path !== undefined) throw invalid([{ path, message: `must not start with ${sealedPrefix}` }]);
}
