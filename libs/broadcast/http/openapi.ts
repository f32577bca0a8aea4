import { schemas, type ApiDescription } from '#libs/http';
import { severities } from '#libs/recipient';
import { named, nullable } from '#libs/validation';
import { broadcastFailures } from '../event/broadcast.js';
import type { BroadcastStatus, Counts } from '../view/broadcast-view.js';
import type { MemberItem, ServedBroadcast } from './queries.js';

const { answer, count, meaning, objectOf, oneOf, pageOf, paging, position, recordOf, text, time, uuid, waiting } =
  schemas;

const broadcast = named(
  'Broadcast',
  objectOf<ServedBroadcast>({
    id: uuid,
    status: meaning<BroadcastStatus>({
      accepted: 'whom to tell is not decided yet',
      sending: 'members are being told',
      completed: 'every member’s notification has ended',
      failed: 'there is nobody to tell',
    }),
    reason: nullable(oneOf(broadcastFailures)),
    recipients: nullable({ ...count, description: 'How many are told; null while that is not decided.' }),
    counts: objectOf<Counts>({
      pending: count,
      sent: count,
      partiallySent: count,
      failed: count,
      optedOut: count,
      cancelled: count,
      expired: count,
    }),
    groupId: nullable(text),
    groupRevision: nullable(text),
    category: text,
    severity: oneOf(severities),
    subject: text,
    about: nullable(
      objectOf<NonNullable<ServedBroadcast['about']>>({
        processId: nullable(text),
        entityType: nullable(text),
        entityId: nullable(text),
      }),
    ),
    tags: recordOf(text),
    requestedAt: time,
    completedAt: nullable(time),
    position,
  }),
);
const member = objectOf<MemberItem>({ id: uuid, recipientId: text });

export const broadcastApi: ApiDescription = {
  tag: 'Broadcasts',
  description:
    'What became of notifications to several recipients or to a group. They are posted as notifications with ' +
    '`recipientIds` or `groupId`; each member is told by a notification of their own.',
  routes: {
    'GET /v1/broadcasts/{id}': {
      id: 'getBroadcast',
      summary: 'Read a broadcast',
      query: waiting,
      answers: { 200: answer('The broadcast.', broadcast) },
      problems: ['not-found', 'unreadable-record'],
    },
    'GET /v1/broadcasts/{id}/notifications': {
      id: 'listBroadcastNotifications',
      summary: 'List the notifications of a broadcast',
      description: 'In the order in which the members are told. None while it is not decided who is told.',
      query: paging,
      answers: { 200: answer('A page of members and their notifications.', pageOf(member)) },
      problems: ['not-found', 'unreadable-record'],
    },
  },
};
