import { Body, Controller, Headers, HttpCode, HttpStatus, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '#libs/access';
import { AskedBy, Needs, noBody, tellPosition, traceparentOf, verb } from '#libs/http';
import type { AcceptServices } from './accept.js';
import { cancel, type Cancelling } from './cancel.js';
import { ACCEPT_SERVICES } from './notification.controller.js';

export interface CancellingDto {
  readonly id: string;
  readonly status: Cancelling['status'];
  readonly href: string;
}

@Controller()
export class CancelController {
  constructor(@Inject(ACCEPT_SERVICES) private readonly services: AcceptServices) {}

  /** Queued: an attempt that is under way runs to its end. Repeated, it adds nothing. */
  @Post(verb('v1/notifications/:id', 'cancel'))
  @Needs('notifications:write')
  @HttpCode(HttpStatus.ACCEPTED)
  async cancel(
    @Param('id') id: string,
    @Body(noBody) _body: void,
    @Headers('traceparent') traceparent: string | undefined,
    @AskedBy() caller: Caller | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CancellingDto> {
    const { status, position } = await cancel(this.services.client, id, {
      caller: caller?.name,
      traceparent: traceparentOf(traceparent),
    });
    const href = `/v1/notifications/${id}`;
    void reply.header('location', href);
    tellPosition(reply, position);
    return { id, status, href };
  }
}
