import { beforeAll, expect, test } from '@jest/globals';
import { useServer, type Accepted, type Answer } from '../support/index.js';

const server = useServer({ smtp: true });
const { api } = server;

beforeAll(() => api.putRecipient('ada', 'ada@example.com'));

function post(key: string, subject: string): Promise<Answer<Accepted>> {
  const body = { recipientId: 'ada', content: { subject, text: 'Hello' } };
  return api.request<Accepted>('POST', '/v1/notifications', body, { 'idempotency-key': key });
}

function countOf(subject: string): number {
  return server.smtp.mails.filter(({ parsed }) => parsed.subject === subject).length;
}

test('the same key and body: the same answer, and one mail', async () => {
  const first = await post('once', 'once');
  expect(first.status).toBe(202);
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  await api.finalView(first.body.id);

  const second = await post('once', 'once');
  expect(second.status).toBe(202);
  expect(second.body).toEqual(first.body);
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  for (const name of ['location', 'tidings-position']) expect(second.headers.get(name)).toBe(first.headers.get(name));
  expect(countOf('once')).toBe(1);
});

test('the same key with another body: refused, and nothing is sent', async () => {
  const first = await post('strict', 'strict');
  const second = await post('strict', 'another');
  expect(second.status).toBe(422);
  expect(second.body).toMatchObject({ type: '/problems/validation', errors: [{ path: 'Idempotency-Key' }] });
  await api.finalView(first.body.id);
  expect([countOf('strict'), countOf('another')]).toEqual([1, 0]);
});

test('the same fields in another order are the same body', async () => {
  const content = { subject: 'ordered', text: 'Hello' };
  const first = await api.request<Accepted>(
    'POST',
    '/v1/notifications',
    { recipientId: 'ada', category: 'a', content },
    { 'idempotency-key': 'ordered' },
  );
  const second = await api.request<Accepted>(
    'POST',
    '/v1/notifications',
    { content: { text: 'Hello', subject: 'ordered' }, category: 'a', recipientId: 'ada' },
    { 'idempotency-key': 'ordered' },
  );
  expect([second.status, second.body.id]).toEqual([202, first.body.id]);
});

test('a key that was used for a recipient who was erased since is refused, not taken for the old request', async () => {
  const headers = { 'idempotency-key': 'erased' };
  const notification = (recipientId: string) => ({ recipientId, content: { subject: 'erased', text: 'Hello' } });
  await api.putRecipient('bo', 'bo@example.com');
  const first = await api.request<Accepted>('POST', '/v1/notifications', notification('bo'), headers);
  await api.finalView(first.body.id);
  await api.request('DELETE', '/v1/recipients/bo');
  const second = await api.request('POST', '/v1/notifications', notification('ada'), headers);
  expect(second.status).toBe(422);
});

test('twenty requests with one key at the same time: one notification, one mail', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => post('crowd', 'crowd')));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
  const [id, ...others] = new Set(answers.map(({ body }) => body.id));
  expect(others).toEqual([]);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1);
  await api.finalView(id!);
  expect(countOf('crowd')).toBe(1);
});

test('a key is kept over a restart, also over a sudden one', async () => {
  const first = await post('kept', 'kept');
  await server.restart();
  const second = await post('kept', 'kept');
  // Killed between the mail and its outcome, the server would rightly send the mail again.
  await api.finalView(first.body.id);
  await server.kill();
  await server.start();
  const third = await post('kept', 'kept');
  expect([second.body.id, third.body.id]).toEqual([first.body.id, first.body.id]);
  expect((await post('kept', 'else')).status).toBe(422);
  expect(countOf('kept')).toBe(1);
});
