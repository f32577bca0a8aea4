import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { emailEvents, SandboxTransport, sendEmailBot } from '#libs/channel/email';
import type { StoredBlob } from '#libs/content';
import { runtimeTimers } from '#libs/runtime';
import { NotificationFlow } from '#libs/testing/flow';
import { notificationEvents } from '../event/notification.js';
import { accept } from '../http/accept.js';
import type { PostToOneDto } from '../http/post-notification.dto.js';
import { readRequest } from '../operations/read-request.js';
import { deliverySagaHandler } from './delivery.saga-handler.js';
import { fanOutBot } from './fan-out.bot.js';
import { retentionReactor, retentionTimerKey } from './retention.reactor.js';
import { sendBot } from './send.bot.js';

const file = { fileName: 'a.txt', mediaType: 'text/plain', content: Buffer.from('hello').toString('base64') };
const withAttachment = { subject: 'Invoice 7', text: 'Please pay.', attachments: [file, file] };
const large = { subject: 'Report', text: 'ä'.repeat(20_000) };

let flow: NotificationFlow;
beforeEach(async () => {
  flow = await NotificationFlow.open();
  const sandbox = new SandboxTransport();
  flow.services.transport.send = (message) => sandbox.send(message);
  await flow.putRecipient('user-42', { address: 'ada@example.com' });
});
afterEach(() => flow.close());

async function post(content: PostToOneDto['content'], more: Partial<PostToOneDto> = {}): Promise<string> {
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  const dto = { recipientId: 'user-42', content, ...more };
  return (await accept({ ...flow.services, client: flow.client }, dto, request)).id;
}

const timerOf = (id: string) => flow.client.read(runtimeTimers, retentionTimerKey(id));
const fire = (id: string) => flow.fireTimer(retentionTimerKey(id), id);

/** What was stored for the notification, the sandbox's mail included. */
async function blobsOf(id: string): Promise<StoredBlob[]> {
  const operation = await readRequest(flow.client, id);
  const blobs = [...(operation!.data.blobs ?? [])];
  for (const event of await flow.client.read(notificationEvents, id)) {
    if (event.type !== 'notification.prepared.v1') continue;
    const last = await flow.client.last(emailEvents, event.data.operations[0]!.id);
    if (last?.type === 'email.sent.v1') blobs.push(last.data.receipt.mime!);
  }
  return blobs;
}

async function standing(blobs: readonly StoredBlob[]): Promise<number> {
  const found = await Promise.all(blobs.map((blob) => flow.services.blobs.get(blob)));
  return found.filter((bytes) => bytes !== undefined).length;
}

test('the operation lists what was stored for it, and counts its attachments', async () => {
  const both = await post({ ...large, attachments: [file] });
  const operation = await readRequest(flow.client, both);
  expect(operation!.data.attachments).toBe(1);
  expect(operation!.data.blobs!.map(({ id, size }) => [id, size])).toEqual([
    [`${both}-attachment-0`, 5],
    [`${both}-content`, expect.any(Number)],
  ]);
  const none = await post({ subject: 'a', text: 'b' });
  const plain = await readRequest(flow.client, none);
  expect(plain!.data).not.toHaveProperty('attachments');
  expect(plain!.data).not.toHaveProperty('blobs');
});

describe('after the end of a notification', () => {
  test.each([
    ['attachments', withAttachment, 3],
    ['content too large for a record', large, 2],
  ])('its blobs are kept for a time and then removed: %s', async (_, content, count) => {
    const id = await post(content);
    await flow.drive();
    const blobs = await blobsOf(id);
    expect(await standing(blobs)).toBe(count);
    const [end] = await flow.client.read(notificationEvents, id, { direction: 'backwards', limit: 1 });
    const [timer] = await timerOf(id);
    expect(timer!.data).toMatchObject({ dueAt: end!.created + flow.services.attachmentRetention });
    await fire(id);
    await flow.drive();
    expect(await standing(blobs)).toBe(0);
    const before = await flow.stored();
    await flow.drive();
    expect(await flow.stored()).toEqual(before);
  });

  test.each<[string, () => Promise<string>]>([
    ['for nobody who is known', () => post(withAttachment, { recipientId: 'nobody' })],
    ['expired', () => post(withAttachment, { expiresAt: '2020-01-01T00:00:00Z' })],
  ])('also of one that was never sent: %s', async (_, posted) => {
    const id = await posted();
    await flow.drive();
    const blobs = await blobsOf(id);
    expect(await standing(blobs)).toBe(2);
    await fire(id);
    await flow.drive();
    expect(await standing(blobs)).toBe(0);
  });

  test('it costs nothing where there are no blobs', async () => {
    const id = await post({ subject: 'a', text: 'b' });
    await flow.drive();
    expect(await timerOf(id)).toEqual([]);
  });

  test('what the sandbox kept is removed, also where nothing else was stored', async () => {
    Object.assign(flow.services.transport, { sandbox: true });
    const id = await post({ subject: 'a', text: 'b' });
    await flow.drive();
    const blobs = await blobsOf(id);
    expect(blobs).toHaveLength(1);
    expect(await standing(blobs)).toBe(1);
    const [timer] = await timerOf(id);
    const [end] = await flow.client.read(notificationEvents, id, { direction: 'backwards', limit: 1 });
    expect(timer!.data).toMatchObject({ dueAt: end!.created + flow.services.attachmentRetention });
    await fire(id);
    await flow.drive();
    expect(await standing(blobs)).toBe(0);
  });

  test('also what the sandbox kept, where the handler was started again before the end', async () => {
    Object.assign(flow.services.transport, { sandbox: true });
    const id = await post({ subject: 'a', text: 'b' });
    const unknown = await post({ subject: 'a', text: 'b' }, { recipientId: 'nobody' });
    await flow.drive([sendBot, fanOutBot, sendEmailBot, deliverySagaHandler]);
    const restarted = flow.run(retentionReactor);
    for (const record of await restarted.waiting()) {
      if (record.type === 'notification.sent.v1' || record.type === 'notification.failed.v1')
        await restarted.handle(record);
    }
    expect(await timerOf(id)).toHaveLength(1);
    expect(await timerOf(unknown)).toEqual([]);
  });

  test('also where the handler was started again before the end', async () => {
    const id = await post(withAttachment);
    const plain = await post({ subject: 'a', text: 'b' });
    await flow.drive([sendBot, fanOutBot, sendEmailBot, deliverySagaHandler]);
    const restarted = flow.run(retentionReactor);
    for (const record of await restarted.waiting()) {
      if (record.type !== 'notification.requested.v1') await restarted.handle(record);
    }
    expect(await timerOf(id)).toHaveLength(1);
    expect(await timerOf(plain)).toEqual([]);
  });

  test('also what the sandbox kept of an attempt that was cut short', async () => {
    const id = await post(withAttachment);
    const send = flow.services.transport.send;
    flow.services.transport.send = (message) => {
      flow.tearAfter(0);
      return send(message);
    };
    await flow.drive().catch(() => {});
    flow.tearAfter();
    flow.services.transport.send = send;
    await flow.drive();
    const [last] = (await blobsOf(id)).slice(-1);
    expect(last!.id).toMatch(/-mime-2$/);
    const first = { ...last!, id: last!.id.replace(/2$/, '1') };
    expect(await standing([first])).toBe(1);
    await fire(id);
    await flow.drive();
    expect(await standing([first, ...(await blobsOf(id))])).toBe(0);
  });

  test('the blobs of others stay', async () => {
    const [id, other] = [await post(withAttachment), await post(withAttachment)];
    await flow.drive();
    await fire(id);
    await flow.drive();
    expect(await standing(await blobsOf(other))).toBe(3);
  });
});

test('nothing is removed, nor scheduled to be, before the end', async () => {
  const id = await post(withAttachment, { deliverAt: new Date(flow.now() + 3_600_000).toISOString() });
  await flow.drive();
  expect(await timerOf(id)).toEqual([]);
  expect(await standing(await blobsOf(id))).toBe(2);
});
