import { expect, test } from '@jest/globals';
import { SmtpTransport } from './smtp-transport.js';

test.each([
  'http://x',
  'smtp://',
  'x',
  'smtp://user@host',
  'smtp://:p@host',
  'smtp://u:%ff@host',
  'smtp://host/x',
  'smtp://host?x',
])('%s is not the URL of a server', (url) => {
  expect(() => new SmtpTransport({ url })).toThrow(expect.objectContaining({ code: 'invalid-smtp-url' }));
});
