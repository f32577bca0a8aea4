import { schemas, type ApiDescription } from '#libs/http';
import { jsonSchemaOf, named, nullable } from '#libs/validation';
import { Preferences } from '../event/preferences.js';
import { PutRecipientDto } from './put-recipient.dto.js';
import type { Undeliverable } from '../event/recipient.js';
import type { RecipientView } from './recipients.js';

const { answer, asOf, bodyOf, etagHeader, ifMatch, objectOf, positionHeader, text, time } = schemas;

const recipient = named(
  'Recipient',
  objectOf<RecipientView>({
    id: text,
    displayName: nullable(text),
    locale: nullable(text),
    timeZone: nullable(text),
    channels: objectOf<RecipientView['channels']>(
      {
        email: objectOf<NonNullable<RecipientView['channels']['email']>>(
          {
            address: text,
            undeliverable: {
              ...objectOf<Undeliverable>({
                at: time,
                status: { type: 'string', description: 'What the mail server said (RFC 3463).' },
              }),
              description: 'No mail gets there any more, and none is sent; to put the recipient anew clears it.',
            },
          },
          ['undeliverable'],
        ),
        slack: objectOf<{ channel: string }>({ channel: text }),
      },
      ['email', 'slack'],
    ),
    preferences: nullable(jsonSchemaOf(Preferences)),
  }),
);
const erased = objectOf<{ id: string; erased: true }>({ id: text, erased: { const: true } });

const headers = { ...etagHeader, ...positionHeader };
const id = {
  description: 'The id that you chose: 1 to 200 printable characters without slashes.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};

export const recipientApi: ApiDescription = {
  tag: 'Recipients',
  description: 'Whom to tell, where, and how they want it.',
  routes: {
    'PUT /v1/recipients/{id}': {
      id: 'putRecipient',
      summary: 'Create or replace a recipient',
      description: 'All of the recipient: what is left out is removed.',
      path: { id },
      headers: ifMatch,
      body: bodyOf(PutRecipientDto, {
        displayName: 'Ada',
        locale: 'en',
        timeZone: 'Europe/Kyiv',
        channels: { email: { address: 'ada@example.com' }, slack: { channel: 'C024BE91L' } },
        preferences: {
          default: { channels: ['email', 'slack'], minSeverity: { email: 'info' } },
          categories: { billing: { channels: ['email'] } },
        },
      }),
      answers: {
        200: answer('It is replaced, or was like that already.', recipient, headers),
        201: answer('It is created.', recipient, headers),
      },
      problems: ['conflict', 'precondition-failed'],
    },
    'GET /v1/recipients/{id}': {
      id: 'getRecipient',
      summary: 'Read a recipient, as it is or as it was',
      path: { id },
      query: asOf,
      answers: { 200: answer('The recipient.', recipient, headers) },
      problems: ['not-found', 'unreadable-record'],
    },
    'DELETE /v1/recipients/{id}': {
      id: 'eraseRecipient',
      summary: 'Erase a recipient',
      description: 'Destroys the personal data of the recipient everywhere. Repeated, it answers the same.',
      path: { id },
      headers: ifMatch,
      answers: { 200: answer('Nothing of it can be read any more.', erased, headers) },
      problems: ['not-found', 'conflict', 'precondition-failed', 'validation'],
    },
  },
};
