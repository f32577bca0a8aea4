import { beforeAll, expect, test } from '@jest/globals';
import { eventually, useServer, type Accepted, type Answer } from '../support/index.js';

interface Problem {
  readonly type: string;
  readonly status: number;
  readonly errors: readonly { readonly path: string }[];
}
interface Batch {
  readonly items: readonly (Accepted & Problem)[];
}

const server = useServer();
const { api } = server;

beforeAll(() => api.putRecipient('ada', 'ada@example.com'));

const item = (subject: string, more: object = {}) => ({
  recipientId: 'ada',
  content: { subject, text: 'Hello' },
  ...more,
});

function post(items: unknown, headers: Record<string, string> = {}): Promise<Answer<Batch>> {
  return api.request<Batch>('POST', '/v1/notifications:batch', { items }, headers);
}

test('the good ones are accepted, and each of the others has its problem, in order', async () => {
  const blobId = '0197a000-0000-7000-8000-000000000000';
  const attachments = [{ fileName: 'a.txt', mediaType: 'text/plain', blobId }];
  const { status, headers, body } = await post([
    item('first'),
    item(''),
    item('to many', { recipientIds: ['ada'] }),
    item('second', { recipientId: 'nobody' }),
    7,
    item('sealed', { category: 'sealed.v1.abc.address.AAAA' }),
    { recipientId: 'ada', content: { subject: 'with a file', text: 'Hello', attachments } },
    item('third', { tags: { batch: 'yes' } }),
  ]);
  expect(status).toBe(202);
  expect(body.items.map((one) => one.errors?.map(({ path }) => path) ?? one.status)).toEqual([
    'accepted',
    ['items[1].content.subject'],
    ['items[2].recipientIds'],
    'accepted',
    ['items[4]'],
    ['items[5].category'],
    ['items[6].content.attachments[0].blobId'],
    'accepted',
  ]);
  expect(body.items[1]).toMatchObject({ type: '/problems/validation', status: 422 });
  const [first, , , second, , , , third] = body.items;
  expect(first!.href).toBe(`/v1/notifications/${first!.id}`);
  expect(await api.finalView(first!.id)).toMatchObject({ status: 'sent', subject: 'first' });
  expect(await api.finalView(second!.id)).toMatchObject({ status: 'failed', reason: 'unknownRecipient' });
  expect(await api.finalView(third!.id)).toMatchObject({ status: 'sent', tags: { batch: 'yes' } });
  const listed = await api.request<Batch>(
    'GET',
    `/v1/notifications?tag=batch:yes&atLeast=${headers.get('tidings-position')!}`,
  );
  expect(listed.body.items.map(({ id }) => id)).toEqual([third!.id]);
});

test('1000 of them, in one request', async () => {
  const { status, body } = await post(Array.from({ length: 1_000 }, (_, index) => item(`number ${index}`)));
  expect(status).toBe(202);
  expect(new Set(body.items.map(({ id }) => id)).size).toBe(1_000);
  // Their flows go on beside each other, so that none of them ends before most of the others are there.
  const subjectOf = (index: number) => eventually(async () => (await api.view(body.items[index]!.id)).subject);
  expect(await Promise.all([0, 499, 999].map(subjectOf))).toEqual(['number 0', 'number 499', 'number 999']);
});

test('is as safe to repeat with an idempotency key as one notification', async () => {
  const items = [item('once'), item(''), item('once more')];
  const key = { 'idempotency-key': 'batch-1' };
  const first = await post(items, key);
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  const again = await post(items, key);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const sends = (await api.events(first.body.items[0]!.id)).filter(({ type }) => type === 'notification.send.v1');
  expect(sends).toHaveLength(1);
  expect(await post([item('other')], key)).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'Idempotency-Key' }] },
  });
});

test('what is no batch is refused as a whole', async () => {
  for (const items of [undefined, [], {}, 'x', Array.from({ length: 1_001 }, () => item('too many'))]) {
    expect(await post(items)).toMatchObject({ status: 422, body: { errors: [{ path: 'items' }] } });
  }
  const large = await post([item('large', { content: { subject: 'large', text: 'x'.repeat(9_000_000) } })]);
  expect(large.status).toBe(413);
});
