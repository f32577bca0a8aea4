import { schemas, type ApiDescription } from '#libs/http';
import { named, nullable } from '#libs/validation';
import { ignoredReasons, type BounceAnswer } from '../bounce/bounce-intake.js';
import { PostBounceDto } from './post-bounce.dto.js';

const { answer, arrayOf, bodyOf, count, objectOf, oneOf, uuid } = schemas;

const bounce = named(
  'BounceAnswer',
  objectOf<BounceAnswer>({
    operationId: { ...nullable(uuid), description: 'Of the mail; null where it is not known.' },
    recorded: { ...count, description: 'Events written.' },
    repeated: { ...count, description: 'Addresses of which the same was on record before.' },
    ignored: { ...arrayOf(oneOf(ignoredReasons)), description: 'Why something of it is not on record.' },
  }),
);

export const emailApi: ApiDescription = {
  tag: 'Mails',
  description: 'Mails as they were sent, and what became of them. The ids stand in the views of notifications.',
  routes: {
    'GET /v1/emails/{operationId}/message': {
      id: 'getSandboxMail',
      summary: 'Read a mail that the sandbox kept',
      answers: { 200: { description: 'The whole mail.', content: { 'message/rfc822': { type: 'string' } } } },
      problems: ['not-found', 'unreadable-record'],
    },
    'POST /v1/bounces': {
      id: 'reportBounce',
      summary: 'Report what became of a mail later on',
      description:
        'The whole mail that came back, as `message/rfc822`: what is no delivery status notification (RFC 3464) and what ' +
        'is about no mail of this server is ignored, and says so. Or, as `application/json`, what a provider tells of a ' +
        'mail, named by one of `operationId` and `messageId`. Repeated, it adds nothing.',
      body: {
        ...bodyOf(PostBounceDto, {
          messageId: '<01912d68-783e-7a1b-8e10-000000000001@example.com>',
          recipient: 'ada@example.com',
          action: 'failed',
          status: '5.1.1',
          diagnostic: 'smtp; 550 5.1.1 no such user',
        }),
        orMediaTypes: ['message/rfc822'],
      },
      answers: { 200: answer('It is on disk, or there is nothing to record.', bounce) },
      problems: ['conflict', 'not-found', 'unreadable-record'],
    },
  },
};
