import { beforeAll, describe, expect, test } from '@jest/globals';
import { correlationOf, keyOf } from '#libs/kernel';
import type { NotificationView } from '#libs/notification';
import type { TakenMail } from '#libs/testing';
import { eventually, readStore, useServer, type Accepted, type Answer } from '../support/index.js';

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const image = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=',
  'base64',
);
const everyByte = Buffer.from(Array.from({ length: 4_096 }, (_, index) => index % 256));
const notification = {
  recipientId: 'user-42',
  category: 'billing',
  severity: 'warning',
  content: {
    subject: 'Rechnung № 7 – Жовтень 🧾',
    text: 'Grüße,\r\n.\r\nFrom Kyiv with love: Привіт 👋\r\n',
    html: '<p>Grüße 👋 <img src="cid:logo@example.com"></p>\r\n',
    email: {
      cc: [{ address: 'cc@example.com', name: 'Zoë "Zed" Ölund' }],
      bcc: [{ address: 'bcc@example.com' }],
      replyTo: [{ address: 'reply@example.com', name: 'Antwort' }],
    },
    attachments: [
      { fileName: 'Beleg №7 (final).bin', mediaType: 'application/x-tidings', content: everyByte.toString('base64') },
      {
        fileName: 'logo.png',
        mediaType: 'image/png',
        contentId: 'logo@example.com',
        content: image.toString('base64'),
      },
    ],
  },
  about: { processId: null, entityType: 'invoice', entityId: '7' },
  tags: { invoice: '7' },
};

const server = useServer({ smtp: true, settings: { TIDINGS_MAIL_FROM: 'Tidings <tidings@example.org>' } });
const { api } = server;

test('a recipient is put, read and put again', async () => {
  const path = '/v1/recipients/user-42';
  const profile = {
    displayName: 'Ada Löwe',
    locale: 'en',
    timeZone: 'Europe/Kyiv',
    channels: { email: { address: 'ada@example.com' } },
    preferences: { default: { channels: ['email', 'slack'], minSeverity: { email: 'info' } } },
  };

  const created = await api.request('PUT', path, { ...profile, displayName: 'Ada' });
  expect(created.status).toBe(201);
  expect(created.headers.get('etag')).toBe('"0"');
  expect(created.headers.get('tidings-position')).toMatch(/^\d+$/);

  const changed = await api.request('PUT', path, profile, { 'if-match': '"0"' });
  expect(changed.status).toBe(200);
  expect(changed.headers.get('etag')).toBe('"1"');
  expect(changed.body).toEqual({ id: 'user-42', ...profile });

  const repeated = await api.request('PUT', path, profile);
  expect(repeated.status).toBe(200);
  expect(repeated.headers.get('etag')).toBe('"1"');

  const stale = await api.request('PUT', path, { channels: {} }, { 'if-match': '"0"' });
  expect(stale.status).toBe(412);
  expect(stale.headers.get('content-type')).toBe('application/problem+json');
  expect(stale.body).toMatchObject({ type: '/problems/precondition-failed', status: 412 });

  const read = await api.request('GET', path);
  expect(read.status).toBe(200);
  expect(read.headers.get('etag')).toBe('"1"');
  expect(read.body).toEqual({ id: 'user-42', ...profile });
});

describe('a notification', () => {
  let accepted: Answer<Accepted>;
  let known: Answer<NotificationView>;
  let view: NotificationView;
  let mail: TakenMail;

  beforeAll(async () => {
    accepted = await api.request('POST', '/v1/notifications', notification, { traceparent });
    known = await api.request('GET', accepted.headers.get('location') ?? '');
    view = (await api.request<NotificationView>('GET', `${accepted.body.href}?wait=10`)).body;
    mail = (await server.smtp.received(1))[0]!;
  });

  test('is accepted, and known at once', () => {
    const { status, headers, body } = accepted;
    expect(status).toBe(202);
    expect(body).toEqual({
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      status: 'accepted',
      href: `/v1/notifications/${body.id}`,
    });
    expect(headers.get('location')).toBe(body.href);
    expect(headers.get('tidings-position')).toMatch(/^\d+$/);
    expect(known.status).toBe(200);
    expect(known.body.id).toBe(body.id);
    expect(['requested', 'sending', 'sent']).toContain(known.body.status);
  });

  test('ends as sent, and the view tells all of it', () => {
    expect(view).toEqual({
      id: accepted.body.id,
      recipientId: 'user-42',
      category: 'billing',
      severity: 'warning',
      subject: notification.content.subject,
      status: 'sent',
      reason: null,
      decision: { recipientRevision: '1', preference: 'default', severity: 'warning', category: 'billing' },
      requestedAt: expect.stringMatching(rfc3339),
      completedAt: expect.stringMatching(rfc3339),
      deliverAt: null,
      channels: {
        email: {
          status: 'sent',
          operations: [
            {
              id: expect.any(String),
              type: 'SendEmail',
              status: 'succeeded',
              to: 'ada@example.com',
              attempts: 1,
              error: null,
              inDoubt: false,
              at: expect.stringMatching(rfc3339),
              message: null,
              late: false,
            },
          ],
        },
      },
      about: notification.about,
      tags: notification.tags,
      sandbox: false,
      broadcastId: null,
      escalation: null,
      revision: 2,
      position: expect.stringMatching(/^\d+$/),
    });
  });

  test('arrives as it was posted, to the byte', () => {
    const { envelope, parsed } = mail;
    expect(envelope.from).toBe('tidings@example.org');
    expect([...envelope.to].sort()).toEqual(['ada@example.com', 'bcc@example.com', 'cc@example.com']);
    expect(parsed.messageId).toBe(`<${view.channels.email!.operations[0]!.id}@example.org>`);
    expect(parsed.from).toMatchObject({ name: 'Tidings', address: 'tidings@example.org' });
    expect(parsed.to).toMatchObject([{ name: 'Ada Löwe', address: 'ada@example.com' }]);
    expect(parsed.cc).toMatchObject([{ name: 'Zoë "Zed" Ölund', address: 'cc@example.com' }]);
    expect(parsed.replyTo).toMatchObject([{ name: 'Antwort', address: 'reply@example.com' }]);
    expect(mail.raw.includes('bcc@example.com')).toBe(false);
    const { subject, text, html } = notification.content;
    expect(parsed.subject).toBe(subject);
    expect(parsed.text).toBe(text);
    expect(parsed.html).toBe(html);
    const attachments = parsed.attachments.map(({ filename, mimeType, contentId, content }) => ({
      filename,
      mimeType,
      contentId,
      bytes: Buffer.from(content as ArrayBuffer),
    }));
    expect(attachments).toHaveLength(2);
    expect(attachments).toContainEqual({
      filename: 'Beleg №7 (final).bin',
      mimeType: 'application/x-tidings',
      contentId: undefined,
      bytes: everyByte,
    });
    expect(attachments).toContainEqual({
      filename: 'logo.png',
      mimeType: 'image/png',
      contentId: '<logo@example.com>',
      bytes: image,
    });
  });

  test('leaves a record of every step, each with its cause', async () => {
    // The timer that is to remove the attachments may come after the view.
    const events = await eventually(async () => {
      const found = await api.events(accepted.body.id);
      return found.at(-1)!.type === 'runtime.timer-scheduled.v1' ? found : undefined;
    });
    expect(events.map(({ type }) => type)).toEqual([
      'notification.send.v1',
      'notification.requested.v1',
      'notification.prepared.v1',
      'notification.delivery-started.v1',
      'email.send.v1',
      'email.claimed.v1',
      'email.sent.v1',
      'notification.sent.v1',
      'runtime.timer-scheduled.v1',
    ]);
    const positions = events.map(({ position }) => BigInt(position));
    expect(positions).toEqual([...positions].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(positions).size).toBe(positions.length);
    expect(String(positions[0])).toBe(accepted.headers.get('tidings-position'));
    expect(new Set(events.map(({ metadata }) => metadata.$correlationId))).toEqual(new Set([accepted.body.id]));
    const [first, ...others] = events;
    expect(first!.causationId).toBeNull();
    for (const { causationId, position } of others) {
      const cause = events.find(({ id }) => id === causationId);
      expect(cause && BigInt(cause.position) < BigInt(position)).toBe(true);
    }
    for (const { occurredAt } of events) expect(occurredAt).toMatch(rfc3339);
    expect(events[2]!.data).toMatchObject({
      operations: [{ operation: { to: [{ address: 'ada@example.com', name: 'Ada Löwe' }] } }],
    });
  });

  test('carries the trace to the last side effect', async () => {
    const events = await api.events(accepted.body.id);
    expect(events.map(({ metadata }) => metadata.traceparent)).toEqual(events.map(() => traceparent));
  });

  test('and its events are all that the store holds of it, but for views and snapshots', async () => {
    const events = await api.events(accepted.body.id);
    await server.stop();
    const stored = (await readStore(server.dataDir)).filter((record) => correlationOf(record) === accepted.body.id);
    const written = stored.filter(({ stream }) => !/^notification\.(view\.1|snapshot)-/.test(stream));
    expect(events.map(({ id, stream, revision }) => ({ id, stream, revision }))).toEqual(
      written.map(({ id, stream, revision }) => ({ id, stream, revision: Number(revision) })),
    );
    const view = stored.findLast(({ stream }) => stream.startsWith('notification.view.1-'));
    expect(view && keyOf(view.stream)).toBe(accepted.body.id);
    expect(view!.metadata.traceparent).toBe(traceparent);
  });
});
