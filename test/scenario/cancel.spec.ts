import { beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { eventually, useServer, type Accepted } from '../support/index.js';

const server = useServer({ smtp: true });
const { api } = server;

beforeAll(async () => {
  for (const id of ['ada', 'bo']) await api.putRecipient(id, `${id}@example.com`);
});

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();

function cancel(id: string, body?: unknown) {
  return api.request<Accepted & { detail: string; code: string }>('POST', `/v1/notifications/${id}:cancel`, body);
}

async function reached(id: string, status: string): Promise<void> {
  await eventually(async () => ((await api.view(id)).status === status ? true : undefined));
}

async function typesOf(id: string): Promise<string[]> {
  return (await api.events(id)).map(({ type }) => type);
}

describe('a notification that waits for its time', () => {
  test('is cancelled at once, and its timer too', async () => {
    const id = await api.notify('ada', { deliverAt: tomorrow() });
    await reached(id, 'scheduled');
    const answer = await cancel(id);
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ id, status: 'cancelling', href: `/v1/notifications/${id}` });
    expect(answer.headers.get('location')).toBe(answer.body.href);
    expect(answer.headers.get('tidings-position')).toMatch(/^\d+$/);
    expect(await api.finalView(id)).toMatchObject({ status: 'cancelled', reason: 'cancelled', channels: {} });
    await eventually(async () => ((await typesOf(id)).includes('runtime.timer-cancelled.v1') ? true : undefined));
    expect((await api.request('GET', '/v1/notifications?status=cancelled')).body['items']).toMatchObject([{ id }]);
  });

  test('is cancelled once, however often that is asked for', async () => {
    const id = await api.notify('ada', { deliverAt: tomorrow() });
    const answers = await Promise.all(Array.from({ length: 5 }, () => cancel(id)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await api.finalView(id);
    const again = await cancel(id, {});
    expect(again).toMatchObject({ status: 202, body: { id, status: 'cancelled' } });
    const types = await typesOf(id);
    for (const type of ['notification.cancel.v1', 'notification.cancelled.v1']) {
      expect(types.filter((one) => one === type)).toEqual([type]);
    }
  });
});

test('what has ended otherwise is a 409 that says how', async () => {
  const { id } = await api.finalView(await api.notify('ada'));
  const answer = await cancel(id);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer).toMatchObject({
    status: 409,
    body: { detail: 'it has ended already: sent', code: 'notification-ended' },
  });
  expect(await typesOf(id)).not.toContain('notification.cancel.v1');
});

test('an unknown one is a 404, a body a 422', async () => {
  expect((await cancel(newId())).status).toBe(404);
  expect((await cancel('7')).status).toBe(404);
  const id = await api.notify('ada', { deliverAt: tomorrow() });
  expect((await cancel(id, { reason: 'a mistake' })).status).toBe(422);
});

test('a member of a broadcast that is cancelled is counted as such', async () => {
  const { body } = await api.request<Accepted>('POST', '/v1/notifications', {
    recipientIds: ['ada', 'bo'],
    content: { subject: 'later', text: 'Hello' },
    deliverAt: tomorrow(),
  });
  const members = async () =>
    (await api.request<{ items: { id: string }[] }>('GET', `${body.href}/notifications`)).body.items;
  const both = await eventually(async () => ((await members()).length === 2 ? members() : undefined));
  for (const { id } of both) {
    await reached(id, 'scheduled');
    expect((await cancel(id)).status).toBe(202);
  }
  expect((await api.request('GET', `${body.href}?wait=20`)).body).toMatchObject({
    status: 'completed',
    counts: { pending: 0, cancelled: 2 },
  });
});

// The last one: from here on the server of mails is busy.
test('a mail that waits for its next attempt is cancelled', async () => {
  server.smtp.behave({ at: 'data', times: 100, reply: '451 4.3.0 try again later' });
  const id = await api.notify('ada', { content: { subject: 'busy', text: 'Hello' } });
  const attempts = async () => (await api.view(id)).channels.email?.operations[0];
  await eventually(async () => ((await attempts())?.status === 'retrying' ? true : undefined));
  expect((await cancel(id)).status).toBe(202);
  const view = await api.finalView(id);
  expect(view).toMatchObject({ status: 'cancelled', reason: 'cancelled', escalation: null });
  expect(view.channels.email!.operations).toMatchObject([{ status: 'failed', error: { reason: 'cancelled' } }]);
  expect((await typesOf(id)).slice(-2)).toEqual(['email.failed.v1', 'notification.cancelled.v1']);
});
