import { Controller, Get, Headers, Inject, Query, Res, type StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  advanceTo,
  eventStreamType,
  invalid,
  lastEventId,
  Needs,
  onlyParameters,
  OpenStreams,
  streamOfEvents,
  wantedMediaType,
} from '#libs/http';
import { CatchUp } from '#libs/query-index';
import { channels, severities } from '#libs/recipient';
import { notificationStatuses } from '../event/notification.js';
import { NotificationLists, type NotificationFilter } from '../list/lists.js';
import { LiveLists } from '../list/live-list.js';
import type { LiveFilter } from '../list/list-match.js';
import { placeDigits } from '../list/place.js';
import type { NotificationView } from '../view/notification-view.js';
import {
  emailParameter,
  idParameter,
  lineParameter,
  oneOf,
  pageParameters,
  pageRequest,
  tagParameters,
  uuidParameter,
  type QueryParameters,
} from './list-parameters.js';
import { answerList, type PageDto } from './list-waits.js';

const filters = [
  'recipientId',
  'address',
  'channel',
  'status',
  'category',
  'severity',
  'broadcastId',
  'tag',
  'from',
  'to',
] as const;

/** Notifications, newest first, or as they become. */
@Controller('v1/notifications')
export class NotificationListController {
  constructor(
    @Inject(NotificationLists) private readonly lists: NotificationLists,
    @Inject(CatchUp) private readonly catchUp: CatchUp,
    @Inject(LiveLists) private readonly live: LiveLists,
    @Inject(OpenStreams) private readonly streams: OpenStreams,
  ) {}

  @Get()
  @Needs('notifications:read')
  async list(
    @Query() query: QueryParameters,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PageDto<NotificationView> | StreamableFile> {
    onlyParameters(query, ...filters, ...pageParameters);
    const filter = notificationFilter(query);
    const page = pageRequest(query, 'from', 'to', placeDigits);
    if (wantedMediaType(accept, ['application/json', eventStreamType]) === eventStreamType) {
      const given = pageParameters.find((name) => query[name] !== undefined);
      if (given !== undefined) throw invalid([{ path: given, message: 'must not be given for an event stream' }]);
      return this.stream({ ...filter, from: page.from, to: page.to }, lastEventId(lastId), reply);
    }
    void reply.header('vary', 'accept');
    return answerList(this.catchUp, query, () => this.lists.notifications(filter, page));
  }

  private async stream(filter: LiveFilter, seen: bigint | undefined, reply: FastifyReply): Promise<StreamableFile> {
    const head = await this.live.head();
    // Whoever has seen more than there is has read another store, and would miss what comes until then.
    if (seen !== undefined && seen > head) {
      throw invalid([{ path: 'Last-Event-ID', message: 'must not be beyond the last record' }]);
    }
    const { live } = this;
    return this.streams.answer(reply, eventStreamType, async function* (signal) {
      // From where to resume, before there is anything to tell.
      if (seen === undefined) yield advanceTo(String(head));
      yield* streamOfEvents(live.follow(filter, seen ?? head, signal), seen ?? head);
    });
  }
}

function notificationFilter(query: QueryParameters): NotificationFilter {
  return {
    recipientId: idParameter(query, 'recipientId'),
    address: addressParameter(query),
    channel: oneOf(query, 'channel', channels),
    status: oneOf(query, 'status', notificationStatuses),
    category: lineParameter(query, 'category'),
    severity: oneOf(query, 'severity', severities),
    broadcastId: uuidParameter(query, 'broadcastId'),
    tags: tagParameters(query, 'tag'),
  };
}

/** A mail address, or a Slack channel: those have no @. */
function addressParameter(query: QueryParameters): string | undefined {
  const address = lineParameter(query, 'address');
  return address?.includes('@') ? emailParameter(query, 'address') : address;
}
