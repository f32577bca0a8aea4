import { expect, test } from '@jest/globals';
import type { NotificationView } from '#libs/notification';
import { eventually, useServer } from '../support/index.js';

const server = useServer({ smtp: true });
const { api } = server;

/** What becomes of a notification to a recipient with these preferences. */
async function outcomeFor(
  recipientId: string,
  preferences: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<NotificationView> {
  await api.putRecipient(recipientId, `${recipientId}@example.com`, { preferences });
  return api.finalView(await api.notify(recipientId, more));
}

function inFuture(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}

/** The recipients of all mails so far. */
function reached(): string[] {
  return server.smtp.mails.flatMap(({ envelope }) => envelope.to);
}

test('an unknown recipient: failed', async () => {
  const view = await api.finalView(await api.notify('nobody'));
  expect(view).toMatchObject({
    status: 'failed',
    reason: 'unknownRecipient',
    decision: { recipientRevision: null, preference: null, severity: 'info', category: 'general' },
    channels: {},
  });
  // It is a projection of its own, and may come after the view.
  const snapshot = await eventually(async () => {
    const { status, body } = await api.request('GET', `/v1/notifications/${view.id}/snapshot`);
    return status === 200 ? body : undefined;
  });
  expect(snapshot).toMatchObject({
    foldVersion: 2,
    revision: '1',
    state: { status: 'failed', requested: { subject: view.subject } },
  });
});

test('a recipient put after the notification is too late for it', async () => {
  const id = await api.notify('latecomer');
  await api.putRecipient('latecomer', 'latecomer@example.com');
  expect(await api.finalView(id)).toMatchObject({ status: 'failed', reason: 'unknownRecipient' });
  expect((await api.finalView(await api.notify('latecomer'))).status).toBe('sent');
});

test('a recipient without channels: failed, and each channel says why', async () => {
  await api.request('PUT', '/v1/recipients/mute', { channels: {} });
  const view = await api.finalView(await api.notify('mute'));
  expect(view).toMatchObject({
    status: 'failed',
    reason: 'noUsableChannel',
    decision: { recipientRevision: '0' },
    channels: { email: { status: 'noAddress', operations: [] }, slack: { status: 'noAddress', operations: [] } },
  });
});

test('a recipient with both channels: a mail, and a Slack message with the file', async () => {
  const channels = { slack: { channel: 'C024BE91L' }, email: { address: 'both@example.com' } };
  const preferences = { default: { channels: ['slack', 'email'] } };
  await api.request('PUT', '/v1/recipients/both', { channels, preferences });
  const attachment = { fileName: 'a.txt', mediaType: 'text/plain', content: Buffer.from('file').toString('base64') };
  const content = { subject: 'Both', text: 'Hello', attachments: [attachment] };
  const view = await api.finalView(await api.notify('both', { content }));
  expect(view).toMatchObject({ status: 'sent', sandbox: true });
  expect(Object.entries(view.channels)).toMatchObject([
    ['slack', { status: 'sent', operations: [{ type: 'SendSlackMessage' }, { type: 'UploadFileToSlack' }] }],
    ['email', { status: 'sent', operations: [{ type: 'SendEmail', to: 'both@example.com', message: null }] }],
  ]);
  expect(reached()).toContain('both@example.com');
  const [message] = view.channels.slack!.operations;
  expect(message).toMatchObject({ to: 'C024BE91L', message: `/v1/slack-messages/${message!.id}/message` });
  expect((await api.request('GET', message!.message!)).body).toMatchObject({
    method: 'chat.postMessage',
    channel: 'C024BE91L',
  });
});

test('a preference for no channel at all: opted out', async () => {
  const view = await outcomeFor('hermit', { default: { channels: [] } });
  expect(view).toMatchObject({
    status: 'optedOut',
    reason: 'optedOut',
    decision: { preference: 'default' },
    channels: { email: { status: 'optedOut', operations: [] } },
  });
  expect(reached()).not.toContain('hermit@example.com');
});

test('below the least severity: opted out; at it: sent', async () => {
  const preferences = { default: { channels: ['email'], minSeverity: { email: 'warning' } } };
  const below = await outcomeFor('choosy', preferences, { severity: 'success' });
  expect(below).toMatchObject({ status: 'optedOut', channels: { email: { status: 'optedOut' } } });
  expect((await outcomeFor('choosy', preferences, { severity: 'warning' })).status).toBe('sent');
});

test('the preference for the category stands in place of the default', async () => {
  const preferences = { default: { channels: [] }, categories: { billing: { channels: ['email'] } } };
  const billing = await outcomeFor('payer', preferences, { category: 'billing' });
  expect(billing).toMatchObject({ status: 'sent', decision: { preference: 'category', category: 'billing' } });
  const other = await outcomeFor('payer', preferences, { category: 'news' });
  expect(other).toMatchObject({ status: 'optedOut', decision: { preference: 'default' } });
});

test('what it is about and its tags are carried through', async () => {
  const more = { about: { processId: 'p-1', entityType: 'invoice' }, tags: { invoice: '7', 'über uns': 'ja ✓' } };
  const view = await outcomeFor('reader', {}, more);
  expect(view.about).toEqual({ processId: 'p-1', entityType: 'invoice', entityId: null });
  expect(view.tags).toEqual(more.tags);
});

test('its time over before it was taken up: expired', async () => {
  const view = await outcomeFor('tardy', {}, { expiresAt: inFuture(-1_000) });
  expect(view).toMatchObject({ status: 'expired', reason: 'expired', channels: {} });
  expect(reached()).not.toContain('tardy@example.com');
});

test('its time over before it is due: expired at once', async () => {
  const view = await outcomeFor('never', {}, { deliverAt: inFuture(600_000), expiresAt: inFuture(300_000) });
  expect(view).toMatchObject({ status: 'expired', reason: 'expired' });
  expect(reached()).not.toContain('never@example.com');
});

test('for later: scheduled, then sent at its time', async () => {
  const deliverAt = inFuture(2_000);
  await api.putRecipient('later', 'later@example.com');
  const id = await api.notify('later', { deliverAt });
  expect(await api.view(id)).toMatchObject({ deliverAt, completedAt: null });
  const view = await api.finalView(id);
  expect(view).toMatchObject({ status: 'sent', deliverAt });
  const events = await api.events(id);
  expect(events.map(({ type }) => type)).toEqual([
    'notification.send.v1',
    'runtime.timer-scheduled.v1',
    'notification.requested.v1',
    'notification.scheduled.v1',
    'runtime.timer-fired.v1',
    'notification.prepared.v1',
    'notification.delivery-started.v1',
    'email.send.v1',
    'email.claimed.v1',
    'email.sent.v1',
    'notification.sent.v1',
  ]);
  const claimed = events.find(({ type }) => type === 'email.claimed.v1');
  expect(claimed!.occurredAt >= deliverAt).toBe(true);
  const [mail] = server.smtp.mails.filter(({ envelope }) => envelope.to.includes('later@example.com'));
  expect(Math.floor(Date.parse(mail!.parsed.date!) / 1000)).toBe(Math.floor(Date.parse(deliverAt) / 1000));
});

test('for later, with a restart in between: sent at its time, once', async () => {
  const deliverAt = inFuture(8_000);
  await api.putRecipient('waiting', 'waiting@example.com');
  const id = await api.notify('waiting', { deliverAt });
  await server.restart();
  expect(await api.view(id)).toMatchObject({ status: 'scheduled', deliverAt });
  const view = await api.finalView(id);
  expect(view.status).toBe('sent');
  expect(view.completedAt! >= deliverAt).toBe(true);
  expect(reached().filter((address) => address === 'waiting@example.com')).toHaveLength(1);
});

test('due while the server was down: sent when it is up', async () => {
  const deliverAt = inFuture(300);
  await api.putRecipient('overdue', 'overdue@example.com');
  const id = await api.notify('overdue', { deliverAt });
  await server.kill();
  await server.start();
  expect((await api.finalView(id)).status).toBe('sent');
  expect(reached().filter((address) => address === 'overdue@example.com')).toHaveLength(1);
});

test('a notification waits for its final view only as long as asked', async () => {
  const id = await api.notify('later', { deliverAt: inFuture(600_000) });
  const { status, body } = await api.request<NotificationView>('GET', `/v1/notifications/${id}?wait=0.2`);
  expect(status).toBe(200);
  expect(body.completedAt).toBeNull();
});
