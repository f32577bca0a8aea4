import { schemas, type ApiDescription } from '#libs/http';
import { channels, severities } from '#libs/recipient';
import { named } from '#libs/validation';
import { notificationStatuses } from '../event/notification.js';
import { operationStatuses } from '../list/entries.js';
import type { EmailItem, SlackMessageItem } from './list-operations.controller.js';
import { notificationSchema, operationFields, reportFields } from './openapi-schemas.js';

const { answer, arrayOf, objectOf, oneOf, pageOf, paging, position, recordOf, resuming, text, time, uuid } = schemas;

const { to, ...fields } = operationFields;
const itemFields = {
  ...fields,
  notificationId: uuid,
  recipientId: text,
  subject: text,
  tags: recordOf(text),
  requestedAt: { ...time, description: 'Of the notification: the list is in its order, newest first.' },
};
const email = named('Email', objectOf<EmailItem>({ ...itemFields, to }, reportFields));
const slackMessage = named('SlackMessage', objectOf<SlackMessageItem>({ ...itemFields, channel: to }, reportFields));

const pages = {
  ...paging,
  atLeast: {
    description:
      'A `Tidings-Position`: answers once the list shows everything up to it, or with a 503 after 30 seconds.',
    schema: position,
  },
};
const since = { description: 'Notifications requested then or later.', schema: time };
const until = { description: 'Notifications requested before.', schema: time };
const status = { description: 'Of the operation.', schema: oneOf(operationStatuses) };

export const listApi: ApiDescription = {
  tag: 'Lists',
  description:
    'Notifications, and what went out for them, newest first. Every filter given has to hold. What no longer has the ' +
    'status that was asked for is left out, so that a page may be shorter than its limit.',
  routes: {
    'GET /v1/notifications': {
      id: 'listNotifications',
      summary: 'Find notifications, or follow them as they become',
      query: {
        recipientId: { description: 'Whom it tells.', schema: text },
        address: { description: 'A mail address or Slack channel that something goes to.', schema: text },
        channel: { description: 'It has something to send on it.', schema: oneOf(channels) },
        status: { description: 'How far it is.', schema: oneOf(notificationStatuses) },
        category: { description: 'Its category.', schema: text },
        severity: { description: 'Its severity.', schema: oneOf(severities) },
        broadcastId: { description: 'The broadcast that it is a part of.', schema: uuid },
        tag: { description: 'A tag, as `key:value`; may be given several times.', schema: arrayOf(text) },
        from: since,
        to: until,
        ...pages,
      },
      headers: resuming,
      answers: {
        200: {
          description:
            'A page of notifications. With `Accept: text/event-stream`, and without `limit`, `cursor` and `atLeast`: each ' +
            'notification that matches whenever it changes, `left` with the id of one that matches no more, and `erased` ' +
            'with the `recipientId` of a person that was erased. The id of an event is where to resume.',
          content: { 'application/json': pageOf(notificationSchema), 'text/event-stream': { type: 'string' } },
        },
      },
      problems: ['unavailable'],
    },
    'GET /v1/emails': {
      id: 'listEmails',
      summary: 'Find mails',
      query: { to: { description: 'The address that it goes to.', schema: text }, status, since, until, ...pages },
      answers: { 200: answer('A page of mails.', pageOf(email)) },
      problems: ['unavailable'],
    },
    'GET /v1/slack-messages': {
      id: 'listSlackMessages',
      summary: 'Find Slack messages and files',
      query: { channel: { description: 'The channel that it goes to.', schema: text }, status, since, until, ...pages },
      answers: { 200: answer('A page of Slack messages and files.', pageOf(slackMessage)) },
      problems: ['unavailable'],
    },
  },
};
