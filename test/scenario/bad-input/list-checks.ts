import { get, live, type RequestCheck } from './request-checks.js';

const lines = { accept: 'application/x-ndjson' };
const beyondTheEnd = '9000000000000000000';

/** Of what is read of many things at once, by the input as the table has it. */
export const listChecks: Readonly<Record<string, RequestCheck>> = {
  'a list by a parameter that is not known': get('/v1/notifications?colour=red'),
  'a list with a limit of 0': get('/v1/notifications?limit=0'),
  'a list with a limit of 201': get('/v1/emails?limit=201'),
  'a list with a cursor that no answer gave': get('/v1/notifications?cursor=7'),
  'a list with the cursor of another list': get(`/v1/emails?cursor=${'0'.repeat(44)}`),
  'a list by a status that is none': get('/v1/notifications?status=done'),
  'a list by a channel that does not exist': get('/v1/notifications?channel=fax'),
  'a list by a severity that is none': get('/v1/notifications?severity=urgent'),
  'a list by a tag without a colon': get('/v1/notifications?tag=invoice'),
  'a list by a filter given twice': get('/v1/notifications?recipientId=a&recipientId=b'),
  'a list by a time without a time zone': get('/v1/notifications?from=2026-01-31T12:00:00'),
  'a list by an address that is none': get('/v1/notifications?address=ada@'),
  'a list by a broadcast whose id is no UUID': get('/v1/notifications?broadcastId=7'),
  'a list at least at what is no position': get('/v1/notifications?atLeast=soon'),
  'mails to an address that is none': get('/v1/emails?to=ada'),
  'mails by a status of notifications': get('/v1/emails?status=optedOut'),
  'Slack messages from a time, not since it': get('/v1/slack-messages?from=2026-01-31T12:00:00Z'),

  // Auditing.
  'events of a category that does not exist': get('/v1/events?category=notification.events'),
  'events of a stream without a key': get('/v1/events?stream=notification.event'),
  'events of the streams of the store itself': get('/v1/events?stream=$$notification.event-1'),
  'events of a type with a line break': get('/v1/events?type=a%0Ab'),
  'events of an empty correlation id': get('/v1/events?type=a.v1&correlationId='),
  'events by a parameter that is not known': get('/v1/events?colour=red'),
  'events after what is no position': get('/v1/events?after=-1'),
  'events after a position twice': get('/v1/events?after=1&after=2'),
  'events beyond the last record': get(`/v1/events?after=${beyondTheEnd}`),
  'events from a cursor that is none': get('/v1/events?cursor=abc'),
  'events from a cursor and after a position': get('/v1/events?cursor=1&after=1'),
  'a page of 201 events': get('/v1/events?limit=201'),
  'lines of events with a limit': get('/v1/events?limit=10', lines),
  'live events with a limit': get('/v1/events?limit=10', live),
  'live events with a Last-Event-ID that is no position': get('/v1/events', { ...live, 'last-event-id': 'x' }),
  'live events with a Last-Event-ID beyond the last record': get('/v1/events', {
    ...live,
    'last-event-id': beyondTheEnd,
  }),
};
