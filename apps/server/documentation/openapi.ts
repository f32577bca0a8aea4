import type { ApiDescription } from '#libs/http';

/** What the server tells about itself. */
export const documentationApi: ApiDescription = {
  tag: 'Documents',
  description: 'What the server tells about itself.',
  routes: {
    'GET /openapi.json': {
      id: 'getOpenApi',
      summary: 'This description',
      answers: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': { type: 'object' } } } },
    },
    'GET /asyncapi.json': {
      id: 'getAsyncApi',
      summary: 'The streams, with what stands in them and who writes and reads them',
      answers: { 200: { description: 'AsyncAPI 3.0.', content: { 'application/json': { type: 'object' } } } },
    },
    'GET /docs': {
      id: 'getDocs',
      summary: 'This description, for people',
      answers: { 200: { description: 'A page.', content: { 'text/html': { type: 'string' } } } },
    },
    'GET /metrics': {
      id: 'getMetrics',
      summary: 'Measurements of this process',
      answers: {
        200: { description: 'In Prometheus’ text format.', content: { 'text/plain': { type: 'string' } } },
      },
    },
  },
};
