import { newId } from '#libs/kernel';
import type { NotificationView } from '#libs/notification';
import type { ParkedPage } from '#libs/operator';
import { eventually, openEvents, type Accepted, type Api } from '../../support/index.js';

/** A stream with a record that nobody can read; returns its name. The server must not be running. */
export async function appendUnreadable(directory: string): Promise<string> {
  const store = await openEvents(directory);
  const stream = `email.operation-${newId()}`;
  await store.append(stream, 'noStream', [{ id: newId(), type: 'from.the-future.v9', data: {} }]);
  await store.close();
  return stream;
}

/**
 * Asks every route for what it answers when all is well, and for errors. A route that is added is visited here too.
 * @param unreadable from `appendUnreadable`
 */
export async function visitEverything(api: Api, unreadable: string): Promise<void> {
  await visitRecipients(api);
  await visitGroups(api);
  await visitNotifications(api);
  await visitBroadcasts(api);
  await visitLists(api);
  await visitBounces(api);
  await visitAudit(api);
  await visitUploads(api);
  await visitOperating(api, unreadable);
  for (const path of ['/health/live', '/health/ready', '/openapi.json', '/asyncapi.json', '/docs', '/metrics']) {
    await api.request('GET', path);
  }
}

async function visitRecipients(api: Api): Promise<void> {
  await api.request('PUT', '/v1/recipients/ada', {
    displayName: 'Ada',
    locale: 'en',
    timeZone: 'Europe/Kyiv',
    channels: { email: { address: 'ada@example.com' }, slack: { channel: 'C024BE91L' } },
    preferences: { default: { channels: ['email', 'slack'] }, categories: { billing: { channels: ['email'] } } },
  });
  const { headers } = await api.request('PUT', '/v1/recipients/ada', {
    channels: { email: { address: 'ada@example.com' }, slack: { channel: 'C024BE91L' } },
  });
  await api.request('GET', '/v1/recipients/ada');
  await api.request('GET', `/v1/recipients/ada?asOf=${headers.get('tidings-position')!}`);
  await api.request('PUT', '/v1/recipients/grace', { displayName: null, channels: {} });
  await api.request('PUT', '/v1/recipients/erased', { channels: {} });
  await api.request('DELETE', '/v1/recipients/erased', undefined, { 'If-Match': '*' });
  await api.request('PUT', '/v1/recipients/ada', { channels: {} }, { 'If-Match': '"99"' });
  await api.request('PUT', '/v1/recipients/ada', { channels: {} }, { 'If-Match': headers.get('etag')!.slice(1) });
  await api.request('PUT', '/v1/recipients/ada', { nickname: 'Ada' });
  await api.request('PUT', '/v1/recipients/a%2Fb', { channels: {} });
  await api.request('GET', '/v1/recipients/nobody');
  await api.request('DELETE', '/v1/recipients/nobody');
}

async function visitGroups(api: Api): Promise<void> {
  await api.request('PUT', '/v1/groups/team', { name: 'The team' });
  await api.request('PUT', '/v1/groups/team', {});
  await api.request('POST', '/v1/groups/team/members', { add: ['ada', 'grace', 'erased'], remove: null });
  await api.request('GET', '/v1/groups/team');
  await api.request('GET', '/v1/groups/team/members?limit=1');
  await api.request('GET', '/v1/groups/team/members', undefined, { 'if-match': '"0"' });
  await api.request('PUT', '/v1/groups/empty', {});
  await api.request('DELETE', '/v1/groups/empty');
  await api.request('GET', '/v1/groups/empty');
  await api.request('GET', '/v1/groups/team/members?cursor=x');
  await api.request('POST', '/v1/groups/team/members', { add: ['ada', 'ada'] });
}

async function visitNotifications(api: Api): Promise<void> {
  const headers = { 'Idempotency-Key': 'tour', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
  const about = { processId: 'order-1', entityType: 'invoice', entityId: '7' };
  const attachments = [{ fileName: 'a.txt', mediaType: 'text/plain', content: 'aGVsbG8=' }];
  const content = { subject: 'Invoice 7', text: 'It is due.', html: '<p>It is due.</p>', attachments };
  const notification = {
    recipientId: 'ada',
    category: 'orders',
    severity: 'warning',
    content,
    about,
    tags: { a: '1' },
  };
  const { body } = await api.request<Accepted>('POST', '/v1/notifications', notification, headers);
  await api.request('POST', '/v1/notifications', notification, headers);
  await api.request('POST', '/v1/notifications', { ...notification, category: 'other' }, headers);
  await api.request('GET', body.href);
  const view = await api.finalView(body.id);
  await visitTrail(api, view);
  await visitBatch(api, content);
  await visitCancelling(api, view.id);
  await visitFailures(api, content);
}

async function visitBatch(api: Api, content: object): Promise<void> {
  const lost = { ...content, attachments: [{ fileName: 'a.txt', mediaType: 'text/plain', blobId: newId() }] };
  const items = [
    { recipientId: 'ada', content },
    { recipientId: 'ada', content: lost },
  ];
  await api.request('POST', '/v1/notifications:batch', { items }, { 'Idempotency-Key': 'tour of a batch' });
  await api.request('POST', '/v1/notifications:batch', { items: [] });
}

async function visitCancelling(api: Api, sent: string): Promise<void> {
  const id = await api.notify('ada', { deliverAt: '2999-01-01T00:00:00Z', expiresAt: '2999-01-02T00:00:00Z' });
  await api.request('POST', `/v1/notifications/${id}:cancel`);
  await api.finalView(id);
  for (const one of [id, sent, newId()]) await api.request('POST', `/v1/notifications/${one}:cancel`);
}

async function visitTrail(api: Api, { id, channels }: NotificationView): Promise<void> {
  for (const part of ['/events', '/content', `?asOf=${new Date().toISOString()}`, '?asOf=1', '?asOf=x']) {
    await api.request('GET', `/v1/notifications/${id}${part}`);
  }
  await eventually(async () => {
    const { status } = await api.request('GET', `/v1/notifications/${id}/snapshot`);
    return status === 200 ? true : undefined;
  });
  for (const { message, type } of [...channels.email!.operations, ...channels.slack!.operations]) {
    await api.request('GET', message!);
    if (type === 'UploadFileToSlack') await api.request('GET', message!.replace(/message$/, 'file'));
  }
}

async function visitFailures(api: Api, content: object): Promise<void> {
  for (const recipientId of ['grace', 'nobody']) {
    await api.finalView(await api.notify(recipientId, { content }));
  }
  await api.notify('ada', { deliverAt: '2999-01-01T00:00:00Z', expiresAt: '2999-01-02T00:00:00Z' });
  const unknown = newId();
  for (const path of ['', '/events', '/snapshot']) await api.request('GET', `/v1/notifications/${unknown}${path}`);
  await api.request('GET', `/v1/notifications/${unknown}?wait=soon`);
  await api.request('POST', '/v1/notifications', '{');
  await api.request('POST', '/v1/notifications', { recipientId: 7, content: {} });
  await api.request('POST', '/v1/notifications', 'a,b', { 'content-type': 'text/csv' });
  await api.request('POST', '/v1/notifications', JSON.stringify({ content: 'a'.repeat(9_000_000) }));
  await api.request('GET', `/v1/emails/${unknown}/message`);
  await api.request('GET', `/v1/slack-messages/${unknown}/file`);
}

async function visitBroadcasts(api: Api): Promise<void> {
  const content = { subject: 'Hello', text: 'How are you?' };
  const { body } = await api.request<Accepted>('POST', '/v1/notifications', { groupId: 'team', content });
  await api.request('POST', '/v1/notifications', { recipientIds: ['ada', 'grace'], groupId: 'team', content });
  await api.request('GET', body.href);
  await api.request('GET', `${body.href}?wait=20`);
  await api.request('GET', `${body.href}/notifications?limit=2`);
  await api.request('GET', `/v1/broadcasts/${newId()}`);
}

async function visitLists(api: Api): Promise<void> {
  const times = 'from=2026-01-01T00:00:00Z&to=2999-01-01T00:00:00Z';
  const { headers } = await api.request('POST', '/v1/notifications', {
    recipientId: 'ada',
    content: { subject: 'Listed', text: 'It is in the lists.' },
  });
  const atLeast = headers.get('tidings-position')!;
  await api.request('GET', `/v1/notifications?recipientId=ada&tag=a:1&${times}&limit=1&atLeast=${atLeast}`);
  await api.request('GET', '/v1/notifications?address=ada@example.com&channel=email&severity=info');
  await api.request('GET', '/v1/notifications?status=lost');
  await api.request('GET', '/v1/emails?to=ada@example.com&limit=2');
  await api.request('GET', '/v1/slack-messages?channel=C024BE91L&status=succeeded');
  await api.request('GET', '/v1/slack-messages?cursor=x');
}

async function visitBounces(api: Api): Promise<void> {
  const { id, channels } = await api.finalView(await api.notify('ada'));
  const { id: operationId } = channels.email!.operations[0]!;
  const bounce = { operationId, recipient: 'ada@example.com', action: 'failed', status: '5.1.1', diagnostic: '550 no' };
  await api.request('POST', '/v1/bounces', { ...bounce, action: 'delayed', status: '4.4.1' });
  await api.request('POST', '/v1/bounces', bounce);
  await api.request('POST', '/v1/bounces', bounce);
  await eventually(async () => ((await api.view(id)).delivery?.bounced === 1 ? true : undefined));
  await eventually(async () => {
    const { body } = await api.request('GET', '/v1/recipients/ada');
    return JSON.stringify(body).includes('undeliverable') ? true : undefined;
  });
  await api.finalView(await api.notify('ada'));
  await api.request('GET', '/v1/emails?to=ada@example.com&status=bounced');
  const rfc822 = { 'content-type': 'message/rfc822' };
  await api.request('POST', '/v1/bounces', 'Subject: Out of office\r\n\r\nI am away.\r\n', rfc822);
  await api.request(
    'POST',
    '/v1/bounces',
    'Content-Type: multipart/report; report-type=delivery-status\r\n\r\n',
    rfc822,
  );
  await api.request('POST', '/v1/bounces', { ...bounce, operationId: newId() });
  await api.request('POST', '/v1/bounces', { ...bounce, status: '550' });
  await api.request('POST', '/v1/bounces', 'a,b', { 'content-type': 'text/csv' });
}

async function visitAudit(api: Api): Promise<void> {
  await api.request('GET', '/v1/events?category=notification.event&limit=2');
  await api.request('GET', '/v1/events?after=3&type=notification.sent.v1', undefined, {
    Accept: 'application/x-ndjson',
  });
  await api.request('GET', '/v1/events?category=lost');
}

async function visitUploads(api: Api): Promise<void> {
  const { headers } = await api.request('POST', '/v1/blobs', Buffer.from('hello'), { 'content-type': 'text/plain' });
  const location = headers.get('location')!;
  await api.request('GET', location);
  await api.request('DELETE', location);
  await api.request('GET', location);
  await api.request('POST', '/v1/blobs');
}

async function visitOperating(api: Api, stream: string): Promise<void> {
  const [parked] = await eventually(async () => {
    const { items } = (await api.request<ParkedPage>('GET', '/v1/parked?consumer=email.send-bot&limit=1')).body;
    return items.length > 0 ? items : undefined;
  });
  await api.request('GET', `/v1/parked/${parked!.id}`);
  await api.request('GET', `/v1/handling?stream=${stream}&revision=0`);
  await api.request('POST', '/v1/parked:redrive', { filter: { consumer: 'email.send-bot' }, dryRun: true });
  await api.request('POST', `/v1/parked/${parked!.id}:archive`);
  await api.request('GET', '/v1/parked?state=archived');
  await api.request('GET', '/v1/parked?state=lost');
  await api.request('GET', `/v1/parked/${newId()}`);
  await api.request('GET', '/v1/handling');
  await api.request('POST', '/v1/parked:redrive', {});
  for (const path of [
    '/v1/streams',
    '/v1/stats',
    '/v1/consumers',
    '/v1/members',
    '/v1/views',
    '/v1/views/query-index',
    '/v1/views/x',
  ]) {
    await api.request('GET', path);
  }
  for (const name of ['notification.view', 'nothing']) {
    for (const verb of ['rebuild', 'cancel']) await api.request('POST', `/v1/views/${name}:${verb}`);
  }
  await api.request('POST', '/v1/consumers/email.send-bot:pause');
  await api.request('POST', '/v1/consumers/email.send-bot:resume');
  await api.request('POST', '/v1/consumers/nobody:pause');
}
