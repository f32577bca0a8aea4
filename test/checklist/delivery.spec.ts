import { describe, expect, test } from '@jest/globals';
import type { NotificationView } from '#libs/notification';
import { eventually } from '../support/index.js';
import { only, slackOf, useWorld } from './support/index.js';

const world = useWorld({ settings: { TIDINGS_MAIL_FROM: 'Tidings <tidings@example.org>' } });

const everyByte = Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 7) % 256));
const image = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

test('22. cc, bcc, reply-to, text and HTML, attachments and inline images arrive byte for byte', async () => {
  const content = {
    subject: 'Rechnung № 7 – Жовтень 🧾',
    text: 'Grüße,\r\n.\r\nFrom Kyiv: Привіт 👋\r\n',
    html: '<p>Grüße 👋 <img src="cid:logo@example.com"></p>\r\n',
    email: {
      cc: [{ address: 'cc@example.com', name: 'Zoë "Zed" Ölund' }],
      bcc: [{ address: 'bcc@example.com' }],
      replyTo: [{ address: 'reply@example.com', name: 'Antwort' }],
      priority: 'high',
      deliveryStatus: true,
    },
    attachments: [
      { fileName: 'Beleg №7.bin', mediaType: 'application/x-tidings', content: everyByte.toString('base64') },
      {
        fileName: 'logo.png',
        mediaType: 'image/png',
        contentId: 'logo@example.com',
        content: image.toString('base64'),
      },
    ],
  };
  await world.api.putRecipient('ada', 'ada@example.com', { displayName: 'Ada Löwe' });
  expect(await world.api.finalView(await world.api.notify('ada', { content }))).toMatchObject({ status: 'sent' });
  const [mail] = world.mailsTo('ada');
  expect([...mail!.envelope.to].sort()).toEqual(['ada@example.com', 'bcc@example.com', 'cc@example.com']);
  expect(mail!.raw.toString()).not.toContain('bcc@example.com');
  expect(mail!.parsed).toMatchObject({
    from: { name: 'Tidings', address: 'tidings@example.org' },
    to: [{ name: 'Ada Löwe', address: 'ada@example.com' }],
    cc: [{ name: 'Zoë "Zed" Ölund', address: 'cc@example.com' }],
    replyTo: [{ name: 'Antwort', address: 'reply@example.com' }],
    subject: content.subject,
  });
  const lines = (text: string | undefined) => text?.replaceAll('\r\n', '\n').trimEnd();
  expect(lines(mail!.parsed.text)).toBe(lines(content.text));
  expect(lines(mail!.parsed.html)).toBe(lines(content.html));
  expect(
    mail!.parsed.attachments.map(({ filename, mimeType, contentId, content: bytes }) => ({
      filename,
      mimeType,
      contentId,
      bytes: Buffer.from(bytes as ArrayBuffer).toString('hex'),
    })),
  ).toEqual(
    expect.arrayContaining([
      {
        filename: 'Beleg №7.bin',
        mimeType: 'application/x-tidings',
        contentId: undefined,
        bytes: everyByte.toString('hex'),
      },
      { filename: 'logo.png', mimeType: 'image/png', contentId: '<logo@example.com>', bytes: image.toString('hex') },
    ]),
  );
});

describe('23. Slack', () => {
  async function notify(id: string, slack: object = {}): Promise<string> {
    await world.api.request('PUT', `/v1/recipients/${id}`, { channels: { slack: { channel: slackOf(id) } } });
    return world.api.notify(id, { content: { subject: 'Hello', text: 'How are you?', slack } });
  }

  const operationOf = (view: NotificationView) => view.channels.slack!.operations[0]!;

  test('23. ok: false ends in an error, with what Slack answered', async () => {
    const body = { ok: false, error: 'is_archived', detail: { since: 'yesterday' } };
    world.slack.behave({ method: 'chat.postMessage', channel: slackOf('archived'), reply: { body } });
    const id = await notify('archived');
    const view = await world.api.finalView(id);
    expect(operationOf(view)).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { stage: 'send', code: 'is_archived' },
    });
    const { failure } = only(await world.api.events(id), 'slack.failed.v1').data as { failure: { response: string } };
    expect(failure).toMatchObject({ kind: 'permanent', code: 'is_archived', httpStatus: 200 });
    expect(JSON.parse(failure.response)).toEqual(body);
  });

  test('23. a network error is another failure: no code of Slack’s, no answer, and it is tried again', async () => {
    world.slack.behave({ method: 'chat.postMessage', channel: slackOf('cutoff'), times: 1, drop: 'beforeReply' });
    const id = await notify('cutoff');
    await eventually(async () => (await world.typesOf(id)).includes('slack.attempt-failed.v1') || undefined);
    const { failure } = only(await world.api.events(id), 'slack.attempt-failed.v1').data;
    expect(failure).toMatchObject({
      stage: 'connect',
      kind: 'transient',
      code: null,
      httpStatus: null,
      response: null,
      message: expect.stringContaining('no answer from Slack'),
    });
    expect(operationOf(await world.api.finalView(id))).toMatchObject({ status: 'succeeded', attempts: 2 });
  });

  test('23. its options are honoured', async () => {
    const blocks = [{ type: 'section', text: { type: 'plain_text', text: 'Hi' } }];
    const options = {
      text: 'plain & simple',
      mrkdwn: false,
      blocks,
      threadTs: '1700000000.000100',
      linkNames: true,
      unfurlLinks: false,
      unfurlMedia: false,
      iconEmoji: ':bell:',
      username: 'Tidings',
    };
    await world.api.finalView(await notify('optional', options));
    expect(world.messagesTo('optional').map((message) => message.arguments)).toEqual([
      {
        channel: slackOf('optional'),
        text: 'plain & simple',
        mrkdwn: 'false',
        blocks: JSON.stringify(blocks),
        thread_ts: '1700000000.000100',
        link_names: expect.stringMatching(/^(true|1)$/),
        unfurl_links: 'false',
        unfurl_media: 'false',
        icon_emoji: ':bell:',
        username: 'Tidings',
      },
    ]);
  });
});
