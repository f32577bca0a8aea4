import { expect, test } from '@jest/globals';
import { wantedMediaType } from './media-type.js';

const types = ['application/json', 'application/x-ndjson', 'text/event-stream'] as const;

test.each([
  [undefined, 'application/json'],
  ['', 'application/json'],
  ['*/*', 'application/json'],
  ['text/html', 'application/json'],
  ['application/json', 'application/json'],
  ['application/x-ndjson', 'application/x-ndjson'],
  ['text/event-stream', 'text/event-stream'],
  ['Text/Event-Stream; charset=utf-8', 'text/event-stream'],
  ['text/html, text/event-stream', 'text/event-stream'],
  ['application/json;q=0.5, application/x-ndjson', 'application/x-ndjson'],
  ['application/x-ndjson, text/event-stream', 'application/x-ndjson'],
  ['application/x-ndjson;q=0, */*', 'application/json'],
  ['text/event-stream;q=nonsense', 'application/json'],
])('Accept: %s is answered with %s', (accept, type) => {
  expect(wantedMediaType(accept, types)).toBe(type);
});
