import { Controller, Get, Headers, Inject, Param, Query, Res, type StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  asOfParameter,
  eventStreamType,
  invalid,
  lastEventId,
  Needs,
  notFound,
  onlyParameters,
  OpenStreams,
  waitParameter,
  wantedMediaType,
} from '#libs/http';
import type { NotificationView } from '../view/notification-view.js';
import { NotificationQueries } from './queries.js';

/** The view of a notification: as it is, as it was, or as it becomes. */
@Controller('v1/notifications')
export class NotificationViewController {
  constructor(
    @Inject(NotificationQueries) private readonly queries: NotificationQueries,
    @Inject(OpenStreams) private readonly streams: OpenStreams,
  ) {}

  @Get(':id')
  @Needs('notifications:read')
  async get(
    @Param('id') id: string,
    @Query() query: Record<string, unknown>,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NotificationView | StreamableFile> {
    onlyParameters(query, 'wait', 'asOf');
    const wait = waitParameter(query['wait']);
    const moment = asOfParameter(query['asOf']);
    const isLive = wantedMediaType(accept, ['application/json', eventStreamType]) === eventStreamType;
    if (isLive) refuseTogether(query, ['wait', 'asOf'], 'must not be given for an event stream');
    if (moment !== undefined) refuseTogether(query, ['wait'], 'must not be given together with asOf');
    const seen = isLive ? lastEventId(lastId) : undefined;
    const view = await this.queries.view(id, wait);
    if (view === undefined) throw notFound('there is no such notification');
    if (isLive) {
      return this.streams.answer(reply, eventStreamType, (signal) => this.queries.live(id, seen, signal));
    }
    void reply.header('vary', 'accept');
    if (moment === undefined) return view;
    const past = await this.queries.viewAsOf(id, moment);
    if (past === undefined) throw notFound('the notification did not exist yet at that moment');
    return past;
  }
}

function refuseTogether(query: Readonly<Record<string, unknown>>, names: readonly string[], message: string): void {
  const path = names.find((name) => query[name] !== undefined);
  if (path !== undefined) throw invalid([{ path, message }]);
}
