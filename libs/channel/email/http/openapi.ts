import type { ApiDescription } from '#libs/http';

export const emailApi: ApiDescription = {
  tag: 'Mails',
  description: 'Mails as they were sent. The ids stand in the views of notifications.',
  routes: {
    'GET /v1/emails/{operationId}/message': {
      id: 'getSandboxMail',
      summary: 'Read a mail that the sandbox kept',
      answers: { 200: { description: 'The whole mail.', content: { 'message/rfc822': { type: 'string' } } } },
      problems: ['not-found', 'unreadable-record'],
    },
  },
};
