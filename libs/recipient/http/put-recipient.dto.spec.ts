import { describe, expect, test } from '@jest/globals';
import { validate } from '#libs/validation';
import { PutRecipientDto } from './put-recipient.dto.js';

const least = { channels: {} };
const withEmail = (address: unknown) => ({ channels: { email: { address } } });
const withPreference = (preference: unknown) => ({ ...least, preferences: { default: preference } });

test.each<[string, unknown]>([
  ['the least', least],
  [
    'all of it',
    {
      displayName: 'Ada Lovelace',
      locale: 'uk-UA',
      timeZone: 'Europe/Kyiv',
      channels: { email: { address: 'ada@example.com' }, slack: { channel: 'C024BE91L' } },
      preferences: {
        default: { channels: ['email', 'slack'], minSeverity: { email: 'info' } },
        categories: { billing: { channels: ['email'] }, news: { channels: [] } },
      },
    },
  ],
  ['null for absent', { displayName: null, locale: null, timeZone: null, channels: { email: null, slack: null } }],
  ['null preferences', { ...least, preferences: null }],
  ['nulls in the preferences', { ...least, preferences: { default: null, categories: null } }],
  ['a null least severity', withPreference({ channels: ['email'], minSeverity: { email: null } })],
  ['an international domain', withEmail('ada@bücher.example')],
])('takes %s', (_, body) => {
  expect(validate(PutRecipientDto, body)).toEqual([]);
});

describe('refuses', () => {
  test.each<[string, unknown, string]>([
    ['no object', 'Ada', ''],
    ['no channels', {}, 'channels'],
    ['null channels', { channels: null }, 'channels'],
    ['channels that are a list', { channels: [] }, 'channels'],
    ['an unknown field', { ...least, phone: '1' }, 'phone'],
    ['an unknown channel', { channels: { fax: { number: '1' } } }, 'channels.fax'],
    ['an unknown field of a channel', { channels: { email: { address: 'a@b.example', x: 1 } } }, 'channels.email.x'],
    ['a channel without an address', { channels: { email: {} } }, 'channels.email.address'],
    ['a name that is no text', { ...least, displayName: 7 }, 'displayName'],
    ['a name with a line break', { ...least, displayName: 'Ada\r\nBcc: eve@example.com' }, 'displayName'],
    ['a long name', { ...least, displayName: 'x'.repeat(201) }, 'displayName'],
    ['a locale that is none', { ...least, locale: 'not a locale' }, 'locale'],
    ['an empty locale', { ...least, locale: '' }, 'locale'],
    ['a time zone that is none', { ...least, timeZone: 'Mars/Olympus' }, 'timeZone'],
    ['a Slack channel with a line break', { channels: { slack: { channel: 'C0\n24' } } }, 'channels.slack.channel'],
    ['an empty Slack channel', { channels: { slack: { channel: '' } } }, 'channels.slack.channel'],
    ['an unknown preferred channel', withPreference({ channels: ['fax'] }), 'preferences.default.channels'],
    ['a channel preferred twice', withPreference({ channels: ['email', 'email'] }), 'preferences.default.channels'],
    ['a preference without channels', withPreference({}), 'preferences.default.channels'],
    [
      'an unknown severity',
      withPreference({ channels: ['email'], minSeverity: { email: 'loud' } }),
      'preferences.default.minSeverity.email',
    ],
    [
      'an unknown field in a category',
      { ...least, preferences: { categories: { billing: { channels: [], mute: true } } } },
      'preferences.categories.billing.mute',
    ],
    ['a null category', { ...least, preferences: { categories: { billing: null } } }, 'preferences.categories.billing'],
  ])('%s', (_, body, path) => {
    expect(validate(PutRecipientDto, body).map((problem) => problem.path)).toEqual([path]);
  });

  test.each([
    '',
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada@example.com,eve@example.com',
    'Ada <ada@example.com>',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada @example.com',
    'грети@example.com',
    `${'a'.repeat(65)}@example.com`,
    7,
    null,
  ])('the address %j', (address) => {
    expect(validate(PutRecipientDto, withEmail(address)).map(({ path }) => path)).toEqual(['channels.email.address']);
  });
});
