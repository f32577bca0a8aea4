import { schemas, type ApiDescription } from '#libs/http';
import { named, nullable } from '#libs/validation';
import type { EventsPage } from './audit.controller.js';

const { arrayOf, objectOf, paging, position, recordSchema, resuming, text } = schemas;

const page = named(
  'RecordsPage',
  objectOf<EventsPage>({
    items: arrayOf(recordSchema),
    nextCursor: {
      ...nullable(position),
      description: 'The `cursor` of the next page; null where nothing more was there.',
    },
    after: { ...position, description: 'Everything up to here has been looked at.' },
  }),
);

const texts = arrayOf(text);

export const auditApi: ApiDescription = {
  tag: 'Audit',
  description: 'Every record of all streams.',
  routes: {
    'GET /v1/events': {
      id: 'listEvents',
      summary: 'Read all records, as pages, as lines, or live',
      description:
        'Without `category` and `stream`: what happened, without views, snapshots and bookkeeping. A filter may be given ' +
        'several times, and any of its values will do; every filter given has to hold.',
      query: {
        category: { description: 'Category of streams.', schema: texts },
        stream: { description: 'Name of a stream.', schema: texts },
        type: { description: 'Stored type name.', schema: texts },
        correlationId: { description: 'Of the flow.', schema: texts },
        after: { description: 'Position after which to begin; not together with `cursor`.', schema: position },
        ...paging,
      },
      headers: resuming,
      answers: {
        200: {
          description:
            'A page of records. With `Accept: application/x-ndjson` the whole range as lines, with ' +
            '`Accept: text/event-stream` also what comes from now on; both without `limit`.',
          content: {
            'application/json': page,
            'application/x-ndjson': { type: 'string' },
            'text/event-stream': { type: 'string' },
          },
        },
      },
    },
  },
};
