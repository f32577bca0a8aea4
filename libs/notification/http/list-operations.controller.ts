import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Needs, onlyParameters } from '#libs/http';
import { CatchUp } from '#libs/query-index';
import { operationStatuses, type OperationStatus } from '../list/entries.js';
import { NotificationLists, type ListedOperation, type PageRequest } from '../list/lists.js';
import { operationPlaceDigits } from '../list/place.js';
import type { OperationView } from '../view/notification-view.js';
import {
  emailParameter,
  lineParameter,
  oneOf,
  pageParameters,
  pageRequest,
  type QueryParameters,
} from './list-parameters.js';
import { answerList, type PageDto } from './list-waits.js';

/** What went out, or is to go out, on a channel. */
interface OperationItem extends Omit<OperationView, 'to'> {
  readonly notificationId: string;
  readonly recipientId: string;
  readonly subject: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Of the notification, RFC 3339: the lists are in its order. */
  readonly requestedAt: string;
}

/** A mail. */
export interface EmailItem extends OperationItem {
  readonly to: string;
}

/** A Slack message, or a file for Slack. */
export interface SlackMessageItem extends OperationItem {
  readonly channel: string;
}

/** Mails, newest notification first. */
@Controller('v1/emails')
export class EmailListController {
  constructor(
    @Inject(NotificationLists) private readonly lists: NotificationLists,
    @Inject(CatchUp) private readonly catchUp: CatchUp,
  ) {}

  @Get()
  @Needs('notifications:read')
  async list(@Query() query: QueryParameters): Promise<PageDto<EmailItem>> {
    onlyParameters(query, 'to', 'status', 'since', 'until', ...pageParameters);
    const filter = { channel: 'email', address: emailParameter(query, 'to'), status: statusIn(query) } as const;
    const page = pageIn(query);
    return answerList(this.catchUp, query, async () => {
      const { items, last } = await this.lists.operations(filter, page);
      return { items: items.map((item) => ({ ...itemOf(item), to: item.operation.to })), last };
    });
  }
}

/** Slack messages and files, newest notification first. */
@Controller('v1/slack-messages')
export class SlackListController {
  constructor(
    @Inject(NotificationLists) private readonly lists: NotificationLists,
    @Inject(CatchUp) private readonly catchUp: CatchUp,
  ) {}

  @Get()
  @Needs('notifications:read')
  async list(@Query() query: QueryParameters): Promise<PageDto<SlackMessageItem>> {
    onlyParameters(query, 'channel', 'status', 'since', 'until', ...pageParameters);
    const filter = { channel: 'slack', address: lineParameter(query, 'channel'), status: statusIn(query) } as const;
    const page = pageIn(query);
    return answerList(this.catchUp, query, async () => {
      const { items, last } = await this.lists.operations(filter, page);
      return { items: items.map((item) => ({ ...itemOf(item), channel: item.operation.to })), last };
    });
  }
}

function statusIn(query: QueryParameters): OperationStatus | undefined {
  return oneOf(query, 'status', operationStatuses);
}

function pageIn(query: QueryParameters): PageRequest {
  return pageRequest(query, 'since', 'until', operationPlaceDigits);
}

function itemOf({ operation, notification }: ListedOperation): OperationItem {
  const { to: _to, ...rest } = operation;
  const { id, recipientId, subject, tags, requestedAt } = notification;
  return { ...rest, notificationId: id, recipientId, subject, tags, requestedAt };
}
