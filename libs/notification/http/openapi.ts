import { schemas, type ApiDescription } from '#libs/http';
import { jsonSchemaOf, named } from '#libs/validation';
import type { BatchDto } from './batch.controller.js';
import { mostItems } from './batch.dto.js';
import type { CancellingDto } from './cancel.controller.js';
import type { AcceptedDto } from './notification.controller.js';
import { contentSchema, notificationSchema, snapshotSchema } from './openapi-schemas.js';
import { PostNotificationDto, PostToOneDto } from './post-notification.dto.js';

const {
  answer,
  arrayOf,
  asOf,
  bodyOf,
  locationHeader,
  meaning,
  objectOf,
  positionHeader,
  problemSchema,
  recordSchema,
  resuming,
  text,
  uuid,
  waiting,
} = schemas;

const accepted = named(
  'Accepted',
  objectOf<AcceptedDto>({
    id: { ...uuid, description: 'Tracking id of the notification, or of the broadcast where several are told.' },
    status: { const: 'accepted' },
    href: text,
  }),
);

const item = jsonSchemaOf(PostToOneDto);

const cancelling = named(
  'Cancelling',
  objectOf<CancellingDto>({
    id: uuid,
    status: meaning<CancellingDto['status']>({
      cancelling: 'what is not sent yet will not be; the notification tells what came of it',
      cancelled: 'it was cancelled before',
    }),
    href: text,
  }),
);

const repeating = {
  'Idempotency-Key': {
    description: 'The same key with the same body gives the same answer for 24 hours; with another body it is a 422.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
};
const tracing = { traceparent: { description: 'W3C trace context, carried along the flow.', schema: text } };
const replayedHeader = {
  'Idempotency-Replayed': {
    description: 'A request with this key was accepted before, and this is its answer.',
    schema: { const: 'true' },
    required: false,
  },
};

const example = {
  recipientId: 'user-42',
  category: 'billing',
  severity: 'info',
  content: {
    subject: 'Invoice 7',
    text: 'Your invoice is attached.',
    attachments: [{ fileName: 'invoice.txt', mediaType: 'text/plain', content: 'MTAwIEVVUg==' }],
  },
  about: { entityType: 'invoice', entityId: '7' },
  tags: { invoice: '7' },
};

export const notificationApi: ApiDescription = {
  tag: 'Notifications',
  description: 'Tell people something, and see what became of it.',
  routes: {
    'POST /v1/notifications': {
      id: 'postNotification',
      summary: 'Tell one recipient, several, or a group',
      description:
        'Queued: it is on disk when this answers. What becomes of it is an outcome, not an error of this request; an ' +
        'unknown recipient, for one, ends as `failed`. Exactly one of `recipientId`, `recipientIds` and `groupId` is given.',
      headers: { ...repeating, ...tracing },
      body: bodyOf(PostNotificationDto, example),
      answers: {
        202: answer('It is accepted.', accepted, { ...locationHeader, ...positionHeader, ...replayedHeader }),
      },
    },
    'POST /v1/notifications:batch': {
      id: 'postNotifications',
      summary: 'Send many notifications at once',
      description:
        'Queued, as one notification: all that are valid are on disk when this answers. An item is what ' +
        '`POST /v1/notifications` takes for one `recipientId`. One that is not valid does not keep the others from being ' +
        'accepted.',
      headers: { ...repeating, ...tracing },
      body: {
        schema: {
          type: 'object',
          properties: { items: { type: 'array', minItems: 1, maxItems: mostItems, items: item } },
          required: ['items'],
          additionalProperties: false,
        },
        example: { items: [example] },
      },
      answers: {
        202: answer(
          'In the order of the items: that it is accepted, or its problem, with paths such as ' +
            '`items[3].content.subject`.',
          objectOf<BatchDto>({ items: arrayOf({ anyOf: [accepted, problemSchema] }) }),
          { ...positionHeader, ...replayedHeader },
        ),
      },
    },
    'POST /v1/notifications/{id}:cancel': {
      id: 'cancelNotification',
      summary: 'Cancel what is not sent yet of a notification',
      description:
        'Queued: an attempt that is under way runs to its end, and is not repeated. What came of it is the status of the ' +
        'notification. Repeated, it answers the same; it is a 409 for a notification that has ended otherwise.',
      headers: tracing,
      answers: { 202: answer('It is being cancelled.', cancelling, { ...locationHeader, ...positionHeader }) },
      problems: ['not-found', 'conflict', 'validation', 'unreadable-record'],
    },
    'GET /v1/notifications/{id}': {
      id: 'getNotification',
      summary: 'Read a notification, as it is, as it was, or as it becomes',
      query: { ...waiting, ...asOf },
      headers: resuming,
      answers: {
        200: {
          description:
            'The notification. With `Accept: text/event-stream` it is sent again whenever it changes, each time as the ' +
            'data of an event whose id is its position.',
          content: { 'application/json': notificationSchema, 'text/event-stream': { type: 'string' } },
        },
      },
      problems: ['not-found', 'unreadable-record'],
    },
    'GET /v1/notifications/{id}/content': {
      id: 'getNotificationContent',
      summary: 'Read what a notification says',
      description: 'As it was asked for.',
      query: {},
      answers: { 200: answer('The content.', contentSchema) },
      problems: ['not-found', 'unreadable-record'],
    },
    'GET /v1/notifications/{id}/events': {
      id: 'listNotificationEvents',
      summary: 'Read every record of a notification',
      description: 'From all streams, in the order in which it happened.',
      query: {},
      answers: { 200: answer('The records.', objectOf<{ items: unknown }>({ items: arrayOf(recordSchema) })) },
      problems: ['not-found'],
    },
    'GET /v1/notifications/{id}/snapshot': {
      id: 'getNotificationSnapshot',
      summary: 'Read the state of a notification at its end',
      description: 'The aggregate that decided, for looking at: its events are the truth.',
      query: {},
      answers: { 200: answer('The snapshot.', snapshotSchema) },
      problems: ['not-found', 'unreadable-record'],
    },
  },
};
