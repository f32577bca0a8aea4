import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Needs, onlyParameters } from '#libs/http';
import { CatchUp } from '#libs/query-index';
import { channels, severities } from '#libs/recipient';
import { notificationStatuses } from '../event/notification.js';
import { NotificationLists, type NotificationFilter } from '../list/lists.js';
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

/** Notifications, newest first. */
@Controller('v1/notifications')
export class NotificationListController {
  constructor(
    @Inject(NotificationLists) private readonly lists: NotificationLists,
    @Inject(CatchUp) private readonly catchUp: CatchUp,
  ) {}

  @Get()
  @Needs('notifications:read')
  async list(@Query() query: QueryParameters): Promise<PageDto<NotificationView>> {
    onlyParameters(query, ...filters, ...pageParameters);
    const filter = notificationFilter(query);
    const page = pageRequest(query, 'from', 'to', placeDigits);
    return answerList(this.catchUp, query, () => this.lists.notifications(filter, page));
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
