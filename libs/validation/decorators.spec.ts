import { expect, test } from '@jest/globals';
import { isEmailAddress, isHeaderSafe, isId, isRfc3339, isTags } from './index.js';

test.each([
  'ada@example.com',
  'a.b+c@sub.example.org',
  'i@münchen.de',
  'x@xn--mnchen-3ya.de',
  `${'a'.repeat(64)}@example.com`,
])('%s is a mail address', (text) => {
  expect(isEmailAddress(text)).toBe(true);
});

test.each([
  '',
  'ada',
  'ada@',
  '@example.com',
  'ada@localhost',
  '"a b"@example.com',
  '"ada"@example.com',
  'a@b@example.com',
  'a..b@example.com',
  '.a@example.com',
  'Ada <ada@example.com>',
  'ada@example.com\r\nBcc: x@example.com',
  'ada@exam\u0000ple.com',
  'ada@example.com ',
  'ada@[127.0.0.1]',
  'ada@127.0.0.1',
  'ada@example..com',
  'ada@-example.com',
  'a\u200bda@example.com',
  'грети@example.com',
  'jürgen@example.com',
  'ada@b\u3200.example',
  'a,b@example.com',
  `${'a'.repeat(65)}@example.com`,
  `a@${'b.'.repeat(126)}com`,
  5,
  null,
  undefined,
  ['ada@example.com'],
])('%j is no mail address', (value) => {
  expect(isEmailAddress(value)).toBe(false);
});

test.each(['2026-01-31T12:00:00Z', '2024-02-29T23:59:59.123456789+05:30', '2000-02-29T00:00:00-00:00'])(
  '%s is a time',
  (text) => {
    expect(isRfc3339(text)).toBe(true);
  },
);

test.each([
  '2026-01-31',
  '2026-01-31T12:00:00',
  '2026-02-29T12:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:60Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01 00:00:00Z',
  ' 2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z\n',
  0,
  null,
])('%j is no time', (value) => {
  expect(isRfc3339(value)).toBe(false);
});

test('tags', () => {
  expect(isTags({})).toBe(true);
  expect(isTags({ invoice: '7', ['k'.repeat(64)]: 'v'.repeat(256), empty: '' })).toBe(true);
  for (const bad of [
    null,
    [],
    'x',
    { a: 1 },
    { a: null },
    { '': 'x' },
    { ['k'.repeat(65)]: 'x' },
    { a: 'v'.repeat(257) },
    { a: 'x\r\ny' },
    { 'a\nb': 'x' },
    JSON.parse('{"__proto__":"x"}'),
    Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])),
  ]) {
    expect(isTags(bad)).toBe(false);
  }
});

test.each(['user-42', 'a', 'auth0|5', 'urn:user:5', 'x'.repeat(200), 'Ada Lovelace', 'ї', '😀'])(
  '%s is an id',
  (text) => {
    expect(isId(text)).toBe(true);
  },
);

test.each([
  '',
  '.',
  '..',
  'a/b',
  'a\\b',
  'a\nb',
  'a\u0000',
  ' a',
  'a ',
  'x'.repeat(201),
  '\ud800',
  'a\u202eb',
  5,
  null,
])('%j is no id', (value) => {
  expect(isId(value)).toBe(false);
});

test('text for headers', () => {
  expect(isHeaderSafe('Grüße, 世界 😀')).toBe(true);
  for (const bad of ['a\rb', 'a\nb', 'a\u0000b', 'a\tb', 'a\u007fb', 'a\u0085b', 'a\u2028b', '\udc00', 5]) {
    expect(isHeaderSafe(bad)).toBe(false);
  }
});
