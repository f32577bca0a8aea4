import { schemas, type ApiDescription } from '#libs/http';

const { answer, text } = schemas;

const call = { type: 'object', properties: { method: text }, required: ['method'] };

export const slackApi: ApiDescription = {
  tag: 'Slack messages',
  description: 'What was posted to Slack. The ids stand in the views of notifications.',
  routes: {
    'GET /v1/slack-messages/{operationId}/message': {
      id: 'getSandboxSlackMessage',
      summary: 'Read a call that the sandbox kept',
      answers: { 200: answer('The Web API `method` that would have been called, and its arguments beside it.', call) },
      problems: ['not-found', 'unreadable-record'],
    },
    'GET /v1/slack-messages/{operationId}/file': {
      id: 'getSandboxSlackFile',
      summary: 'Read a file that the sandbox kept',
      answers: {
        200: { description: 'The bytes that would have been uploaded.', content: { 'application/octet-stream': {} } },
      },
      problems: ['not-found', 'unreadable-record'],
    },
  },
};
