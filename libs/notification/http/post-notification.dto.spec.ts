import { describe, expect, test } from '@jest/globals';
import { validate } from '#libs/validation';
import { PostNotificationDto } from './post-notification.dto.js';

const content = { subject: 'Invoice 7', text: 'Please pay.' };
const least = { recipientId: 'user-42', content };
const attachment = { fileName: 'i.pdf', mediaType: 'application/pdf', content: 'eA==' };

const withContent = (more: object) => ({ ...least, content: { ...content, ...more } });
const withAttachment = (more: object) => withContent({ attachments: [{ ...attachment, ...more }] });
const withEmail = (email: object) => withContent({ email });
const withSlack = (slack: object) => withContent({ slack });
const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`tag-${index}`, 'x']));

test.each<[string, unknown]>([
  ['the least', least],
  ['several recipients', { content, recipientIds: ['user-1', 'user-2'], recipientId: null }],
  ['a group', { content, groupId: 'board', recipientIds: null }],
  [
    'all of it',
    {
      ...least,
      category: 'billing',
      severity: 'critical',
      content: {
        ...content,
        html: '<p>Please pay.</p>',
        email: {
          cc: [{ address: 'a@example.com', name: 'A' }],
          bcc: [],
          replyTo: [{ address: 'b@example.com' }],
          priority: 'high',
          deliveryStatus: true,
        },
        slack: {
          text: 'See <https://example.com|invoice 7>',
          mrkdwn: false,
          blocks: [{ type: 'divider' }],
          threadTs: '1700000000.000100',
          linkNames: true,
          unfurlLinks: false,
          unfurlMedia: true,
          iconEmoji: ':wave::skin-tone-2:',
          iconUrl: 'https://example.com/a.png?b=c',
          username: 'Tidings',
        },
        attachments: [{ ...attachment, contentId: 'logo@tidings' }],
      },
      about: { processId: null, entityType: 'invoice', entityId: '7' },
      tags: { invoice: '7', empty: '' },
      deliverAt: '2026-01-01T12:00:00+02:00',
      expiresAt: '2026-01-02T12:00:00.5Z',
    },
  ],
  [
    'null for absent',
    {
      ...withContent({ html: null, email: null, slack: null, attachments: null }),
      category: null,
      severity: null,
      about: null,
      tags: null,
      deliverAt: null,
      expiresAt: null,
    },
  ],
  [
    'null for absent further down',
    withEmail({ cc: [{ address: 'a@example.com', name: null }], bcc: null, priority: null, deliveryStatus: null }),
  ],
  [
    'null for absent in what only Slack knows',
    withSlack({
      text: null,
      mrkdwn: null,
      blocks: null,
      threadTs: null,
      linkNames: null,
      unfurlLinks: null,
      unfurlMedia: null,
      iconEmoji: null,
      iconUrl: null,
      username: null,
    }),
  ],
  ['no attachments', withContent({ attachments: [] })],
  ['an attachment without a content id and no HTML', withAttachment({ contentId: null })],
  ['50 tags', { ...least, tags: tags(50) }],
  ['a long text', withContent({ text: 'x'.repeat(1_000_000) })],
])('takes %s', (_, body) => {
  expect(validate(PostNotificationDto, body)).toEqual([]);
});

describe('refuses', () => {
  test.each<[string, unknown, string[]]>([
    ['no object', [], ['']],
    ['nothing', {}, ['recipientId', 'content']],
    ['an empty recipient', { ...least, recipientId: '' }, ['recipientId']],
    ['a recipient with a slash', { ...least, recipientId: 'a/b' }, ['recipientId']],
    ['a recipient that is a number', { ...least, recipientId: 42 }, ['recipientId']],
    ['a recipient and several', { ...least, recipientIds: ['user-1'] }, ['recipientIds']],
    ['a recipient and a group', { ...least, groupId: 'board' }, ['groupId']],
    ['several recipients and a group', { content, recipientIds: ['a'], groupId: 'b' }, ['recipientIds', 'groupId']],
    ['no recipients', { content, recipientIds: [] }, ['recipientIds']],
    [
      'too many recipients',
      { content, recipientIds: Array.from({ length: 1_001 }, (_, n) => `${n}`) },
      ['recipientIds'],
    ],
    ['a recipient twice', { content, recipientIds: ['user-1', 'user-1'] }, ['recipientIds']],
    ['a group with a slash', { content, groupId: 'a/b' }, ['groupId']],
    ['null content', { ...least, content: null }, ['content']],
    ['empty content', { ...least, content: {} }, ['content.subject', 'content.text']],
    ['content that is a text', { ...least, content: 'hi' }, ['content']],
    ['an empty subject', withContent({ subject: '' }), ['content.subject']],
    ['a subject with a line break', withContent({ subject: 'a\r\nBcc: eve@example.com' }), ['content.subject']],
    ['a subject with half a character', withContent({ subject: 'a\ud800' }), ['content.subject']],
    ['a long subject', withContent({ subject: 'x'.repeat(999) }), ['content.subject']],
    ['an empty text', withContent({ text: '' }), ['content.text']],
    ['a text that is a number', withContent({ text: 7 }), ['content.text']],
    ['empty HTML', withContent({ html: '' }), ['content.html']],
    ['an unknown field', { ...least, urgent: true }, ['urgent']],
    ['an unknown field in the content', withContent({ footer: 'x' }), ['content.footer']],
    ['an unknown field in an attachment', withAttachment({ path: '/etc/passwd' }), ['content.attachments[0].path']],
    ['an unknown severity', { ...least, severity: 'loud' }, ['severity']],
    ['an empty category', { ...least, category: '' }, ['category']],
    ['a category with a line break', { ...least, category: 'a\nb' }, ['category']],
    ['a long category', { ...least, category: 'x'.repeat(65) }, ['category']],
    ['an unknown field in what it is about', { ...least, about: { caseId: '7' } }, ['about.caseId']],
    ['an empty entity id', { ...least, about: { entityId: '' } }, ['about.entityId']],
    ['a day that does not exist', { ...least, deliverAt: '2026-02-30T00:00:00Z' }, ['deliverAt']],
    ['a time without a zone', { ...least, expiresAt: '2026-02-28T00:00:00' }, ['expiresAt']],
    ['a time that is a number', { ...least, expiresAt: 1_767_225_600_000 }, ['expiresAt']],
  ])('%s', (_, body, paths) => {
    const found = validate(PostNotificationDto, body).map(({ path }) => path);
    expect(found.sort()).toEqual(paths.sort());
  });

  test.each<[string, object, string]>([
    ['cc that is no list', { cc: { address: 'a@example.com' } }, 'cc'],
    ['an invalid address', { cc: [{ address: 'nobody' }] }, 'cc[0].address'],
    ['an address with a line break', { bcc: [{ address: 'a@example.com\r\nX: y' }] }, 'bcc[0].address'],
    ['a name with a line break', { replyTo: [{ address: 'a@example.com', name: 'A\nB' }] }, 'replyTo[0].name'],
    ['an unknown field of an address', { cc: [{ address: 'a@example.com', type: 'x' }] }, 'cc[0].type'],
    ['51 addresses', { cc: Array.from({ length: 51 }, (_, n) => ({ address: `a${n}@example.com` })) }, 'cc'],
    ['an unknown priority', { priority: 'urgent' }, 'priority'],
    ['an unknown option', { from: 'eve@example.com' }, 'from'],
  ])('mail options with %s', (_, email, path) => {
    expect(validate(PostNotificationDto, withEmail(email)).map((one) => one.path)).toEqual([`content.email.${path}`]);
  });

  test.each<[string, object, string]>([
    ['an empty text', { text: '' }, 'text'],
    ['a text that Slack would cut', { text: 'x'.repeat(40_001) }, 'text'],
    ['a flag that is a text', { mrkdwn: 'false' }, 'mrkdwn'],
    ['a flag that is a number', { linkNames: 1 }, 'linkNames'],
    ['blocks that are no list', { blocks: {} }, 'blocks'],
    ['a block that is a text', { blocks: ['divider'] }, 'blocks'],
    ['51 blocks', { blocks: Array.from({ length: 51 }, () => ({ type: 'divider' })) }, 'blocks'],
    ['a thread that is a number', { threadTs: 1_700_000_000.0001 }, 'threadTs'],
    ['a thread that is a time', { threadTs: '2026-01-01T00:00:00Z' }, 'threadTs'],
    ['an emoji without colons', { iconEmoji: 'bell' }, 'iconEmoji'],
    ['an emoji with a line break', { iconEmoji: ':a\nb:' }, 'iconEmoji'],
    ['an icon that is no URL', { iconUrl: 'a.png' }, 'iconUrl'],
    ['an icon of another kind of URL', { iconUrl: 'file:///etc/passwd' }, 'iconUrl'],
    ['an empty user name', { username: '' }, 'username'],
    ['a user name with a line break', { username: 'A\nB' }, 'username'],
    ['a long user name', { username: 'x'.repeat(81) }, 'username'],
    ['another channel', { channel: '#general' }, 'channel'],
    ['a token', { token: 'xoxb-1' }, 'token'],
  ])('Slack options with %s', (_, slack, path) => {
    expect(validate(PostNotificationDto, withSlack(slack)).map((one) => one.path)).toEqual([`content.slack.${path}`]);
  });

  test.each<[string, object, string]>([
    ['empty content', { content: '' }, 'content'],
    ['content that is no base64', { content: 'not base64!' }, 'content'],
    ['content in base64url', { content: '_-_-' }, 'content'],
    ['content that is cut', { content: 'eA=' }, 'content'],
    ['content of padding only', { content: '====' }, 'content'],
    ['no file name', { fileName: '' }, 'fileName'],
    ['a path for a file name', { fileName: '../i.pdf' }, 'fileName'],
    ['a line break in the file name', { fileName: 'i\r\n.pdf' }, 'fileName'],
    ['a long file name', { fileName: 'x'.repeat(256) }, 'fileName'],
    ['no media type', { mediaType: 'pdf' }, 'mediaType'],
    ['a line break in the media type', { mediaType: 'text/plain\r\nX: y' }, 'mediaType'],
  ])('an attachment with %s', (_, more, field) => {
    const paths = validate(PostNotificationDto, withAttachment(more)).map(({ path }) => path);
    expect(paths).toEqual([`content.attachments[0].${field}`]);
  });

  test('a content id with angle brackets', () => {
    const body = withContent({ html: '<p>Hi</p>', attachments: [{ ...attachment, contentId: '<logo>' }] });
    expect(validate(PostNotificationDto, body).map(({ path }) => path)).toEqual(['content.attachments[0].contentId']);
  });

  test.each<[string, object]>([
    ['no HTML', {}],
    ['null HTML', { html: null }],
  ])('an inline image and %s', (_, more) => {
    const attachments = [attachment, { ...attachment, contentId: 'logo' }];
    expect(validate(PostNotificationDto, withContent({ attachments, ...more }))).toEqual([
      {
        path: 'content.attachments',
        message: 'must not have a contentId where the content has no html: it makes an image that html shows',
      },
    ]);
  });

  test('attachments that are no objects', () => {
    expect(validate(PostNotificationDto, withContent({ attachments: [null, 7] })).map(({ path }) => path)).toEqual([
      'content.attachments[0]',
      'content.attachments[1]',
    ]);
  });

  test('51 attachments', () => {
    const attachments = Array.from({ length: 51 }, () => attachment);
    expect(validate(PostNotificationDto, withContent({ attachments })).map(({ path }) => path)).toEqual([
      'content.attachments',
    ]);
  });

  test.each<[string, unknown]>([
    ['a list', ['a']],
    ['a text', 'a'],
    ['51 of them', tags(51)],
    ['an empty key', { '': 'x' }],
    ['a long key', { ['k'.repeat(65)]: 'x' }],
    ['a long value', { key: 'x'.repeat(257) }],
    ['a value that is a number', { key: 7 }],
    ['a null value', { key: null }],
    ['a line break in a value', { key: 'a\nb' }],
    ['a line break in a key', { 'a\nb': 'x' }],
  ])('tags that are %s', (_, given) => {
    expect(validate(PostNotificationDto, { ...least, tags: given }).map(({ path }) => path)).toEqual(['tags']);
  });
});
