import { beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { newId } from '#libs/kernel';
import { eventually, findInFiles, useServer, withStore } from '../support/index.js';

interface Upload {
  readonly id: string;
  readonly size: number;
  readonly sha256: string;
  readonly expiresAt: string;
}

const canary = 'A canary sits in the upload.';
const fileName = 'canary-file-name.bin';

const server = useServer({ smtp: true, settings: { TIDINGS_BLOB_LIMIT_MB: '40' } });
const { api } = server;

beforeAll(async () => {
  await api.putRecipient('ada', 'ada@example.com');
  await api.putRecipient('bob', 'bob@example.com');
});

async function upload(bytes: Uint8Array): Promise<Upload> {
  const answer = await api.request<Upload>('POST', '/v1/blobs', bytes, { 'content-type': 'application/octet-stream' });
  expect(answer.status).toBe(201);
  return answer.body;
}

function contentWith(...blobIds: readonly string[]) {
  const attachments = blobIds.map((blobId) => ({ fileName, mediaType: 'application/octet-stream', blobId }));
  return { subject: 'A file', text: 'See the attachment.', attachments };
}

const notify = (recipientId: string, ...blobIds: readonly string[]) =>
  api.notify(recipientId, { content: contentWith(...blobIds) });

/** The attachments of the last mail to somebody. */
function attachmentsTo(address: string): Buffer[] {
  const mail = server.smtp.mails.findLast(({ envelope }) => envelope.to.includes(address));
  return mail!.parsed.attachments.map(({ content }) => Buffer.from(content as ArrayBuffer));
}

async function blobFiles(): Promise<string[]> {
  const entries = await readdir(join(server.dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

describe('an upload of 30 MB', () => {
  const bytes = randomBytes(30_000_000);
  let uploaded: Upload;

  test('is taken, and described', async () => {
    uploaded = await upload(bytes);
    expect(uploaded).toMatchObject({ size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    expect((await api.request('GET', `/v1/blobs/${uploaded.id}`)).body).toEqual(uploaded);
  });

  test('arrives byte for byte', async () => {
    expect(await api.finalView(await notify('ada', uploaded.id))).toMatchObject({ status: 'sent' });
    const [received] = attachmentsTo('ada@example.com');
    expect(received!.equals(bytes)).toBe(true);
  });
});

test('one upload serves several notifications, which keep their copies when it is removed', async () => {
  const bytes = randomBytes(100_000);
  const { id } = await upload(bytes);
  const scheduled = await api.notify('ada', {
    content: contentWith(id),
    deliverAt: new Date(Date.now() + 2_000).toISOString(),
  });
  expect((await api.finalView(await notify('bob', id, id))).status).toBe('sent');
  expect(attachmentsTo('bob@example.com')).toEqual([bytes, bytes]);
  expect((await api.request('DELETE', `/v1/blobs/${id}`)).status).toBe(200);
  expect((await api.finalView(scheduled)).status).toBe('sent');
  expect(attachmentsTo('ada@example.com')).toEqual([bytes]);

  const refused = await api.request('POST', '/v1/notifications', { recipientId: 'ada', content: contentWith(id) });
  expect(refused.status).toBe(422);
  expect(refused.body).toMatchObject({ errors: [{ path: 'content.attachments[0].blobId' }] });
});

test('a repeated request is answered as before, though the upload has gone; a refused one does not use up its key', async () => {
  const { id } = await upload(randomBytes(1_000));
  const post = (blobId: string, key: string) =>
    api.request(
      'POST',
      '/v1/notifications',
      { recipientId: 'ada', content: contentWith(blobId) },
      { 'idempotency-key': key },
    );
  const first = await post(id, 'with an upload');
  expect(first.status).toBe(202);
  await api.request('DELETE', `/v1/blobs/${id}`);
  const repeated = await post(id, 'with an upload');
  expect(repeated).toMatchObject({ status: 202, body: first.body });
  expect(repeated.headers.get('idempotency-replayed')).toBe('true');

  expect((await post(id, 'refused at first')).status).toBe(422);
  expect((await post((await upload(randomBytes(1_000))).id, 'refused at first')).status).toBe(202);
});

test('the records name the blobs and their sizes, and the hash nowhere', async () => {
  const bytes = Buffer.from(canary);
  const { id: blobId, sha256 } = await upload(bytes);
  const id = await notify('ada', blobId);
  await api.finalView(id);
  const operation = (await api.events(id)).find(({ type }) => type === 'notification.send.v1');
  expect(operation!.data).toMatchObject({
    attachments: 1,
    blobs: [{ id: `${id}-attachment-0`, size: bytes.length, keyId: expect.any(String) }],
  });
  expect(await findInFiles(server.dataDir, [sha256, canary, fileName])).toEqual([]);
});

test('an erasure makes the copies of the recipient unreadable, and no others', async () => {
  const bytes = Buffer.from(canary);
  const { id: blobId } = await upload(bytes);
  await api.putRecipient('canary', 'canary@example.com');
  const before = await blobFiles();
  const copies = [await notify('canary', blobId), await notify('canary', blobId)];
  for (const id of copies) expect((await api.finalView(id)).status).toBe('sent');
  expect(await blobFiles()).toHaveLength(before.length + 2);
  const pending = await api.notify('canary', {
    content: contentWith(blobId),
    deliverAt: new Date(Date.now() + 1_500).toISOString(),
  });

  expect((await api.request('DELETE', '/v1/recipients/canary')).status).toBe(200);
  await eventually(async () => ((await blobFiles()).length === before.length ? true : undefined));
  expect(await api.finalView(pending)).toMatchObject({ status: 'failed', reason: 'recipientErased' });
  expect((await api.finalView(await notify('bob', blobId))).status).toBe('sent');
  expect(attachmentsTo('bob@example.com')).toEqual([bytes]);
  expect(await findInFiles(server.dataDir, [canary, fileName])).toEqual([]);
  for (const text of [canary, fileName]) expect(server.output).not.toContain(text);
});

test('a process that is killed in the middle of an upload leaves no file of it', async () => {
  const before = await blobFiles();
  const cut = request(`${server.url}/v1/blobs`, { method: 'POST', headers: { 'content-length': 10_000_000 } });
  cut.on('error', () => {});
  cut.write(randomBytes(3_000_000));
  await eventually(async () => ((await blobFiles()).length > before.length ? true : undefined));
  await server.kill();
  expect(await blobFiles()).toHaveLength(before.length + 1);
  await server.start();
  expect(await blobFiles()).toEqual(before);
});

test('uploads are there after a restart', async () => {
  const bytes = randomBytes(1_000);
  const uploaded = await upload(bytes);
  await server.restart();
  expect((await api.request('GET', `/v1/blobs/${uploaded.id}`)).body).toEqual(uploaded);
  expect((await api.finalView(await notify('ada', uploaded.id))).status).toBe('sent');
  expect(attachmentsTo('ada@example.com')).toEqual([bytes]);
});

describe('in the sandbox, when the time of the attachments is over', () => {
  let id: string;
  let message: string;

  beforeAll(async () => {
    await server.stop();
    await server.start({});
    const { id: blobId } = await upload(Buffer.from(canary));
    id = await notify('bob', blobId);
    message = (await api.finalView(id)).channels.email!.operations[0]!.message!;
    expect((await api.request('GET', message)).status).toBe(200);
    const timer = `runtime.timer-${id}.retention`;
    const scheduled = await eventually(async () =>
      (await api.events(id)).find(({ stream, type }) => stream === timer && type === 'runtime.timer-scheduled.v1'),
    );
    await server.stop();
    const data = { purpose: scheduled.data['purpose'] };
    const metadata = { $correlationId: id };
    await withStore(server.dataDir, (store) =>
      store.append(timer, 0n, [{ id: newId(), type: 'runtime.timer-fired.v1', data, metadata }]),
    );
    await server.start({});
  });

  test('they are removed, and the mail with them', async () => {
    await eventually(async () => ((await api.request('GET', message)).status === 404 ? true : undefined));
    const answer = await api.request('GET', message);
    expect(answer.body).toMatchObject({ type: '/problems/not-found', detail: expect.stringContaining('not kept') });
    expect((await blobFiles()).filter((file) => file.includes(id))).toEqual([]);
  });

  test('the view and the events are there as before', async () => {
    expect(await api.view(id)).toMatchObject({ status: 'sent', subject: 'A file' });
    const types = (await api.events(id)).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['notification.send.v1', 'email.sent.v1', 'runtime.timer-fired.v1']));
  });
});
