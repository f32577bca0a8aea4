import { beforeAll, expect, test } from '@jest/globals';
import { categoryOf, newId } from '#libs/kernel';
import { WrongExpectedRevision } from '#libs/store/port';
import { eventually, readStore, withStore, type Accepted } from '../support/index.js';
import { gate, only, rewindConsumers, useWorld, World } from './support/index.js';

const world = useWorld();

beforeAll(() => world.api.putRecipient('ada', 'ada@example.com'));

const content = { subject: 'Hello', text: 'How are you?' };

test('1. Sending answers a unique tracking id before anything is delivered; ids sort by time', async () => {
  const door = gate();
  world.smtp.behave({ at: 'connection', times: 100, wait: door.opened });
  const before = Date.now();
  const ids: string[] = [];
  for (let count = 0; count < 20; count += 1) {
    const { status, headers, body } = await world.api.request<Accepted>('POST', '/v1/notifications', {
      recipientId: 'ada',
      content,
      expiresAt: null,
    });
    expect({ status, body }).toEqual({
      status: 202,
      body: { id: body.id, status: 'accepted', href: `/v1/notifications/${body.id}` },
    });
    expect(headers.get('location')).toBe(body.href);
    ids.push(body.id);
  }
  const after = Date.now();
  expect(world.smtp.mails).toEqual([]);
  expect(new Set(ids).size).toBe(20);
  expect([...ids].sort()).toEqual(ids);
  for (const id of ids) {
    const time = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
  }
  door.open();
  await eventually(async () => world.smtp.mails.length === 20 || undefined);
});

test('2. The request is readable by that id at once, with its tags', async () => {
  const tags = { invoice: '7', 'über uns': 'ja ✓' };
  await world.api.putRecipient('reader', 'reader@example.com');
  const id = await world.api.notify('reader', { tags });
  expect(await world.api.view(id)).toMatchObject({ id, recipientId: 'reader', subject: 'Hello', tags });
  expect((await world.api.events(id))[0]).toMatchObject({
    type: 'notification.send.v1',
    stream: `notification.clientOperation-${id}`,
    revision: 0,
    data: { recipientId: 'reader', tags, content: { inline: expect.stringContaining('How are you?') } },
    metadata: { $correlationId: id },
  });
  expect((await world.api.request('GET', `/v1/notifications/${newId()}`)).status).toBe(404);
});

test('3. A missing body or content or a null tag is refused, and nothing is written', async () => {
  const bare = new World();
  try {
    await bare.open();
    await bare.start();
    const big = { fileName: 'a.bin', mediaType: 'a/b', content: Buffer.alloc(200_000, 1).toString('base64') };
    for (const [body, path] of [
      [undefined, ''],
      ['null', ''],
      [{}, 'content'],
      [{ recipientId: 'ada' }, 'content'],
      [{ recipientId: 'ada', content: null }, 'content'],
      [{ recipientId: 'ada', content: {} }, 'content.subject'],
      [{ recipientId: 'ada', content: { subject: 'a' } }, 'content.text'],
      [{ recipientId: 'ada', content, tags: { invoice: null } }, 'tags'],
      [{ recipientId: 'ada', content: { ...content, attachments: [big] }, tags: { invoice: null } }, 'tags'],
    ] as const) {
      const {
        status,
        headers,
        body: problem,
      } = await bare.api.request<{
        readonly errors?: readonly { readonly path: string }[];
      }>('POST', '/v1/notifications', body, { 'idempotency-key': `key ${path}` });
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect({ body, status }).toEqual({ body, status: 422 });
      if (path !== '') expect(problem.errors?.map((error) => error.path)).toContain(path);
    }
    await bare.stop();
    const written = (await readStore(bare.dataDir)).map(({ stream }) => categoryOf(stream));
    expect(written.filter((category) => !['runtime.checkpoint', 'runtime.installation'].includes(category))).toEqual(
      [],
    );
  } finally {
    await bare.close();
  }
});

test('4. Processing writes exactly one requested event, and redelivery adds none', async () => {
  const ids = await Promise.all(Array.from({ length: 5 }, () => world.api.notify('ada')));
  const before = [];
  for (const id of ids) {
    await world.api.finalView(id);
    before.push(await world.api.events(id));
    only(before.at(-1)!, 'notification.requested.v1');
  }
  await world.idle();
  await world.restart(() => rewindConsumers(world.dataDir));
  await world.idle();
  expect((await world.consumer('notification.send-bot')).handled).toBeGreaterThanOrEqual(5);
  for (const [index, id] of ids.entries()) expect(await world.api.events(id)).toEqual(before[index]);
});

test('27. The same request twice writes nothing the second time; another one under its key is refused', async () => {
  const key = { 'idempotency-key': 'order-7' };
  const post = (subject: string) =>
    world.api.request<Accepted>(
      'POST',
      '/v1/notifications',
      { recipientId: 'ada', content: { ...content, subject } },
      key,
    );
  const first = await post('Once');
  await world.api.finalView(first.body.id);
  const second = await post('Once');
  expect(second).toMatchObject({ status: 202, body: first.body });
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect(await post('Twice')).toMatchObject({ status: 422, body: { errors: [{ path: 'Idempotency-Key' }] } });
  expect(world.smtp.mails.map(({ parsed }) => parsed.subject).filter((subject) => subject !== 'Hello')).toEqual([
    'Once',
  ]);
});

test('27. A recipient put again as it stands keeps its revision; put on another one it is refused, both named', async () => {
  const put = (address: string, headers = {}) =>
    world.api.request('PUT', '/v1/recipients/twice', { channels: { email: { address } } }, headers);
  expect(await put('a@example.com')).toMatchObject({ status: 201 });
  const again = await put('a@example.com');
  expect([again.status, again.headers.get('etag')]).toEqual([200, '"0"']);
  expect((await put('b@example.com')).headers.get('etag')).toBe('"1"');
  const refused = await put('c@example.com', { 'if-match': '"0"' });
  expect(refused).toMatchObject({ status: 412, body: { detail: expect.stringMatching(/revision 1\b.*\b0\b/) } });
});

test('27. The same event at the same place writes nothing; another one is refused, both revisions named', async () => {
  const id = await world.api.notify('ada');
  await world.api.finalView(id);
  await world.idle();
  await world.restart(() =>
    withStore(world.dataDir, async (store) => {
      const stream = `notification.event-${id}`;
      const records = [];
      for await (const record of store.readStream(stream)) records.push(record);
      const [requested] = records;
      const last = records.at(-1)!.revision;
      const { type, data, metadata } = requested!;
      const repeated = await store.append(stream, 'noStream', [{ id: requested!.id, type, data, metadata }]);
      expect(repeated.revision).toBe(0n);
      const other = store.append(stream, 'noStream', [{ id: newId(), type, data, metadata }]);
      const error = await other.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(WrongExpectedRevision);
      expect(error).toMatchObject({ stream, expected: 'noStream', actual: last });
      expect((error as Error).message).toContain(`expected revision noStream, actual revision ${last}`);
      const after = [];
      for await (const record of store.readStream(stream)) after.push(record);
      expect(after).toEqual(records);
    }),
  );
  expect((await world.api.view(id)).status).toBe('sent');
});
