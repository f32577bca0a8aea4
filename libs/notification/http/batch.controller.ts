import { Body, Controller, Headers, HttpCode, HttpStatus, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '#libs/access';
import { AskedBy, Needs, type ProblemDocument, tellPosition, traceparentOf, validated, verb } from '#libs/http';
import type { AcceptServices } from './accept.js';
import { PostBatchDto } from './batch.dto.js';
import { acceptBatch } from './batch.js';
import { ACCEPT_SERVICES, type AcceptedDto } from './notification.controller.js';
import { refuseReusedKey, refuseUselessKey } from './refusals.js';

/** In the order of the request. */
export interface BatchDto {
  readonly items: readonly (AcceptedDto | ProblemDocument)[];
}

@Controller()
export class BatchController {
  constructor(@Inject(ACCEPT_SERVICES) private readonly services: AcceptServices) {}

  /** Queued, as one notification: all that are valid are on disk when it answers. */
  @Post(verb('v1/notifications', 'batch'))
  @Needs('notifications:write')
  @HttpCode(HttpStatus.ACCEPTED)
  async post(
    @Body(validated(PostBatchDto)) dto: PostBatchDto,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('traceparent') traceparent: string | undefined,
    @AskedBy() caller: Caller | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BatchDto> {
    refuseUselessKey(idempotencyKey);
    const request = {
      caller: caller?.name,
      idempotencyKey,
      traceparent: traceparentOf(traceparent),
      now: Date.now(),
    };
    const { items, position, replayed } = await acceptBatch(this.services, dto, request).catch(refuseReusedKey);
    tellPosition(reply, position);
    if (replayed) void reply.header('idempotency-replayed', 'true');
    return {
      items: items.map((item) =>
        'problem' in item ? item.problem : { id: item.id, status: 'accepted', href: `/v1/notifications/${item.id}` },
      ),
    };
  }
}
