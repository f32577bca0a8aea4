import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { isEmailAddress } from '#libs/validation';
import { compose } from './compose.js';
import { messageIdFor, type EmailMessage } from './email-message.js';
import type { EmailFailure } from './email-transport.js';

const plain: EmailMessage = {
  from: { address: 'office@example.org' },
  to: [{ address: 'ann@example.org' }],
  subject: 'Hello',
  text: 'Hello Ann',
  messageId: messageIdFor('0190a0a0-0000-7000-8000-000000000001', 'example.org'),
  date: Date.UTC(2026, 0, 2, 3, 4, 5),
};

function composed(change: Partial<EmailMessage>): string {
  return compose({ ...plain, ...change }).mime.toString('latin1');
}

function failure(change: Partial<EmailMessage>): EmailFailure {
  try {
    compose({ ...plain, ...change });
  } catch (thrown) {
    return thrown as EmailFailure;
  }
  throw new Error('composed');
}

const printable = fc.string({ unit: 'binary', maxLength: 300 }).map((text) => text.replace(/\p{Cc}/gu, ''));
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const label = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 20 });
const address = fc.tuple(label, label).map(([local, domain]) => `${local}@${domain}.example`);
const mailbox = fc.record({ address, name: fc.option(printable, { nil: undefined }) });
const body = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 2_000 }),
  fc.array(fc.string({ maxLength: 1_200 }), { maxLength: 20 }).map((lines) => lines.join('\r\n')),
);

/** Header lines, unfolded or not, of a mail. */
function headerLines(mime: string): string[] {
  return mime.slice(0, mime.indexOf('\r\n\r\n')).split('\r\n');
}

describe('a plain text mail', () => {
  test('is these bytes', () => {
    expect(composed({})).toBe(
      [
        'From: office@example.org',
        'To: ann@example.org',
        'Subject: Hello',
        'Message-ID: <0190a0a0-0000-7000-8000-000000000001@example.org>',
        'Date: Fri, 02 Jan 2026 03:04:05 +0000',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Hello Ann',
        '',
      ].join('\r\n'),
    );
  });

  test('has every line break as CRLF', () => {
    expect(composed({ text: 'a\nb\rc\r\nd' })).toMatch(/\r\n\r\na\r\nb\r\nc\r\nd\r\n$/);
  });

  test.each([
    ['a line of 998 characters', 'x'.repeat(998), '7bit'],
    ['a line of 999 characters', 'x'.repeat(999), 'base64'],
    ['non-ASCII characters', 'Grüße', 'base64'],
    ['a line that starts with From', 'a\nFrom here', 'base64'],
    ['a NUL', 'a\0', 'base64'],
  ])('with %s is encoded accordingly', (_, text, encoding) => {
    expect(composed({ text })).toContain(`Content-Transfer-Encoding: ${encoding}\r\n`);
  });
});

describe('any mail', () => {
  test('comes back from a parser as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          from: mailbox,
          to: fc.array(mailbox, { minLength: 1, maxLength: 5 }),
          cc: fc.array(mailbox, { maxLength: 3 }),
          replyTo: fc.array(mailbox, { maxLength: 2 }),
          subject: printable,
          text: body,
          html: fc.option(body, { nil: undefined }),
        }),
        async (change) => {
          const parsed = await PostalMime.parse(compose({ ...plain, ...change }).mime);
          const asParsed = (list: readonly { address: string; name?: string | undefined }[]) =>
            list.map(({ address, name = '' }) => ({ address, name: name.trim() }));
          const trimmed = (list: readonly { address?: string; name: string }[] | undefined) =>
            (list ?? []).map(({ address, name }) => ({ address, name: name.trim() }));
          expect(trimmed([parsed.from as { address: string; name: string }])).toEqual(asParsed([change.from]));
          expect(trimmed(parsed.to as never)).toEqual(asParsed(change.to));
          expect(trimmed(parsed.cc as never)).toEqual(asParsed(change.cc));
          expect(trimmed(parsed.replyTo as never)).toEqual(asParsed(change.replyTo));
          expect((parsed.subject ?? '').trim()).toBe(change.subject.trim());
          expectText(parsed.text, change.text);
          if (change.html !== undefined) expectText(parsed.html, change.html);
          expect(parsed.messageId).toBe(plain.messageId);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is ASCII in lines of at most 998 characters, with header lines of at most 76', () => {
    fc.assert(
      fc.property(mailbox, printable, body, printable, (to, subject, text, name) => {
        const fileName = name || 'file';
        const mime = composed({
          to: [to, to],
          subject,
          text,
          attachments: [{ fileName, mediaType: 'a/b', content: Buffer.of(1) }],
        });
        expect(mime).toMatch(/^[\r\n\t -~]*\r\n$/);
        expect(mime.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        expect(Math.max(...mime.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
        expect(Math.max(...headerLines(mime).map((line) => line.length))).toBeLessThanOrEqual(76);
      }),
    );
  });

  test('carries attachments and inline images byte by byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 500 }),
        printable.filter((name) => name !== ''),
        fc.option(fc.constant('logo@tidings'), { nil: undefined }),
        async (content, fileName, contentId) => {
          const { mime } = compose({
            ...plain,
            html: '<img src="cid:logo@tidings">',
            attachments: [{ fileName, mediaType: 'image/png', content, contentId }],
          });
          const [attachment] = (await PostalMime.parse(mime)).attachments;
          expect(Buffer.from(attachment!.content as ArrayBuffer)).toEqual(Buffer.from(content));
          expect(attachment!.filename).toBe(fileName);
          expect(attachment!.mimeType).toBe('image/png');
          expect(attachment!.disposition).toBe(contentId ? 'inline' : 'attachment');
          expect(attachment!.contentId).toBe(contentId ? `<${contentId}>` : undefined);
        },
      ),
    );
  });

  test('is the same bytes again for the same message', () => {
    const change = { html: '<p>', attachments: [{ fileName: 'a', mediaType: 'a/b', content: Buffer.of(1) }] };
    expect(composed(change)).toBe(composed(change));
  });
});

test('the boundary is none of what the texts contain', async () => {
  const boundary = /boundary="(.*)"/.exec(composed({ html: '<p>' }))![1]!;
  const text = `--${boundary}\n--${boundary.slice(0, -1)}`;
  const parsed = await PostalMime.parse(composed({ text, html: '<p>' }));
  expectText(parsed.text, text);
});

test('an attached mail stays as it is', async () => {
  const content = Buffer.from('Subject: inner\n\nbody\n');
  const parsed = await PostalMime.parse(
    composed({ attachments: [{ fileName: 'inner.eml', mediaType: 'message/rfc822', content }] }),
  );
  expect(Buffer.from(parsed.attachments[0]!.content as ArrayBuffer)).toEqual(content);
});

test('bcc gets the mail and is in no header; nobody gets it twice', () => {
  const { recipients, mime } = compose({
    ...plain,
    cc: [{ address: 'ann@example.org' }],
    bcc: [{ address: 'secret@example.org' }],
  });
  expect(recipients).toEqual(['ann@example.org', 'secret@example.org']);
  expect(mime.toString()).not.toContain('secret');
});

test('international domains go out as Punycode', () => {
  expect(compose({ ...plain, to: [{ address: 'ann@bücher.example' }] }).recipients).toEqual([
    'ann@xn--bcher-kva.example',
  ]);
  expect(messageIdFor('1', 'bücher.example')).toBe('<1@xn--bcher-kva.example>');
});

test.each([
  ['high', 'X-Priority: 1 (Highest)', 'Importance: high'],
  ['low', 'X-Priority: 5 (Lowest)', 'Importance: low'],
] as const)('priority %s is in the headers', (priority, ...headers) => {
  expect(headerLines(composed({ priority }))).toEqual(expect.arrayContaining(headers));
  expect(composed({ priority: 'normal' })).not.toContain('riority');
});

test('every address that the validation takes is taken', () => {
  const any = fc.oneof(
    fc.emailAddress(),
    fc
      .tuple(fc.string({ unit: 'grapheme', maxLength: 5 }), fc.string({ unit: 'grapheme', maxLength: 5 }))
      .map(([local, domain]) => `a${local}@b${domain}.example`),
  );
  fc.assert(
    fc.property(any, (given) => {
      fc.pre(isEmailAddress(given));
      expect(() => composed({ to: [{ address: given }] })).not.toThrow();
    }),
    { numRuns: 500 },
  );
});

describe('is refused for good', () => {
  const to = (address: string, name?: string): Partial<EmailMessage> => ({ to: [{ address, name }] });
  const file = (change: object): Partial<EmailMessage> => ({
    attachments: [{ fileName: 'a', mediaType: 'a/b', content: Buffer.of(1), ...change }],
  });

  test.each<[string, string, Partial<EmailMessage>]>([
    ['no recipient', 'participants', { to: [] }],
    ['an address without @', 'participants', to('ann')],
    ['an address without local part', 'participants', to('@example.org')],
    ['two addresses in one', 'participants', to('a@b.example, c@d.example')],
    ['a line break in an address', 'participants', to('a@b.example\r\nBcc: x@y.example')],
    ['an angle bracket in an address', 'participants', to('a>@b.example')],
    ['an SMTP parameter in an address', 'participants', to('a@b.example NOTIFY=NEVER')],
    ['a percent-encoded domain', 'participants', to('a@ä%0d%0a.example')],
    ['a non-ASCII local part', 'participants', to('jürgen@example.org')],
    ['a local part of 65 characters', 'participants', to(`${'x'.repeat(65)}@example.org`)],
    ['a line break in a name', 'participants', to('a@b.example', 'Ann\r\nBcc: x@y.example')],
    ['a bad sender', 'participants', { from: { address: '' } }],
    ['a bad bcc', 'participants', { bcc: [{ address: 'x' }] }],
    ['a bad return path', 'participants', { returnPath: 'a>@b.example' }],
    ['a bad reply-to', 'participants', { replyTo: [{ address: 'x' }] }],
    ['a line break in the subject', 'content', { subject: 'a\nBcc: x@y.example' }],
    ['a control character in the subject', 'content', { subject: 'a\x07' }],
    ['neither text nor HTML', 'content', { text: undefined }],
    ['an empty attachment', 'content', file({ content: Buffer.alloc(0) })],
    ['a file name with a line break', 'content', file({ fileName: 'a\r\nb' })],
    ['no file name', 'content', file({ fileName: '' })],
    ['a bad media type', 'content', file({ mediaType: 'a/b\r\nX: y' })],
    ['a bad content id', 'content', { html: '', ...file({ contentId: 'a>\r\nX: y' }) }],
    ['an inline image without HTML', 'content', file({ contentId: 'logo' })],
    ['a bad Message-ID', 'options', { messageId: '<a@b>\r\nX: y' }],
    ['a bad date', 'options', { date: NaN }],
    ['an unknown priority', 'options', { priority: 'urgent' as 'high' }],
  ])('%s', (_, stage, change) => {
    expect(failure(change)).toMatchObject({ name: 'EmailFailure', stage, kind: 'permanent', doubtful: false });
  });

  test('a message that cannot be packed', () => {
    expect(failure(file({ content: { byteLength: 1, buffer: undefined } }))).toMatchObject({
      stage: 'packaging',
      kind: 'permanent',
    });
  });
});

/** The same text but for the kind of line breaks, and for one more at the end where SMTP or the parser needs it. */
function expectText(parsed: string | undefined, sent: string): void {
  const text = sent.replace(/\r\n?/g, '\n');
  expect([text, `${text}\n`]).toContain((parsed ?? '').replace(/\r\n/g, '\n'));
}
