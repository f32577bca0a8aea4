import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Content, ContentAttachment } from '#libs/content';
import { newId, streamName } from '#libs/kernel';
import { recipientOwner } from '#libs/recipient';
import { defineClient, openClient, type DeliveryPolicy } from '#libs/runtime';
import { NotificationFlow } from '#libs/testing/flow';
import { emailEvents } from '../event/email-events.js';
import { emailOperations } from '../operations/email-operations.js';
import { EmailFailure, messageIdFor, SandboxTransport } from '../transport/index.js';
import { sendEmailBot } from './send-email.bot.js';

const owner = recipientOwner('user-42');
const testClient = defineClient({
  name: 'test.client',
  looksUp: [emailEvents],
  writes: [emailOperations, emailEvents],
});
const small: Content = { subject: 'Invoice 7', text: 'Please pay.' };

const failure = (kind: 'transient' | 'permanent', doubtful = false) =>
  new EmailFailure('451 4.2.0 ada@example.com is busy', {
    stage: 'send',
    kind,
    doubtful,
    code: 451,
    enhancedCode: '4.2.0',
    conversation: ['C: RCPT TO:<ada@example.com>', 'S: 451'],
  });

let flow: NotificationFlow;
let operationId: string;
beforeEach(async () => {
  flow = await NotificationFlow.open();
  operationId = newId();
});
afterEach(() => flow.close());

const client = () => openClient(flow.store, testClient);

interface Enqueued {
  readonly content?: Content;
  readonly address?: string;
  readonly delivery?: DeliveryPolicy;
  /** Milliseconds from now until its time is over. */
  readonly window?: number;
}

async function enqueue(operationGiven: Enqueued = {}): Promise<void> {
  const { content = small, address = 'ada@example.com', delivery = 'atLeastOnce', window = 60_000 } = operationGiven;
  const { vault, contents } = flow.services;
  const operation = {
    sender: { address: 'office@example.org' },
    to: [
      {
        address: await vault.sealFor(owner, 'address', address),
        name: await vault.sealFor(owner, 'name', 'Ada'),
      },
    ],
    content: await contents.seal(owner, `${operationId}-content`, content),
    date: '2026-01-01T00:00:00.000Z',
    notAfter: new Date(flow.now() + window).toISOString(),
    delivery,
  };
  await client().append(emailOperations, operationId, 'noStream', [{ type: 'email.send.v1', data: operation }], {
    correlationId: newId(),
  });
}

/** An attachment to the operation. */
async function stored(content: string | Buffer): Promise<ContentAttachment> {
  const blob = await flow.services.blobs.put(owner, `${operationId}-attachment-0`, Buffer.from(content));
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { fileName: 'a.txt', mediaType: 'text/plain', blob, sha256 };
}

/** What happened, in short; and to handle the operation again changes nothing. */
async function events(): Promise<unknown[][]> {
  const records = await client().read(emailEvents, operationId);
  const before = await flow.stored();
  const { length } = flow.services.transport.sent;
  await flow.drive([sendEmailBot]);
  expect(await flow.stored()).toEqual(before);
  expect(flow.services.transport.sent).toHaveLength(length);
  return records.map(({ type, data }) => [type, data.attempt, 'reason' in data ? data.reason : undefined]);
}

const claimed = (attempt: number) => ['email.claimed.v1', attempt, undefined];
const retried = (attempt: number) => ['email.attempt-failed.v1', attempt, undefined];
const sent = (attempt: number) => ['email.sent.v1', attempt, undefined];
const failed = (attempt: number, reason: string) => ['email.failed.v1', attempt, reason];

test('sends the mail that the operation describes', async () => {
  await enqueue();
  await flow.drive([sendEmailBot]);
  expect(flow.services.transport.sent).toEqual([
    {
      from: { address: 'office@example.org' },
      to: [{ address: 'ada@example.com', name: 'Ada' }],
      subject: 'Invoice 7',
      text: 'Please pay.',
      messageId: messageIdFor(operationId, 'example.org'),
      date: Date.parse('2026-01-01T00:00:00.000Z'),
    },
  ]);
  expect(await events()).toEqual([claimed(1), sent(1)]);
});

test('tries a transient failure again: twice refused and then taken makes 3 attempts of one mail', async () => {
  flow.services.transport.failures.push(failure('transient'), failure('transient'));
  await enqueue();
  await flow.drive([sendEmailBot]);
  expect(await events()).toEqual([claimed(1), retried(1), claimed(2), retried(2), claimed(3), sent(3)]);
  expect(new Set(flow.services.transport.sent.map(({ messageId }) => messageId)).size).toBe(1);
});

describe('what the HTTP interface refuses, sealed in an operation that stands all the same, fails for good', () => {
  test.each<[string, () => Promise<Enqueued>, string]>([
    ['a local part outside ASCII', async () => ({ address: 'грети@example.com' }), 'participants'],
    [
      'a cc address with a local part outside ASCII',
      async () => ({ content: { ...small, email: { cc: [{ address: 'грети@example.com' }] } } }),
      'participants',
    ],
    [
      'an inline image without HTML',
      async () => {
        const attachment = { ...(await stored('x')), mediaType: 'image/png', contentId: 'logo' };
        return { content: { ...small, attachments: [attachment] } };
      },
      'content',
    ],
  ])('%s', async (_, given, stage) => {
    const sandbox = new SandboxTransport();
    flow.services.transport.send = (message) => sandbox.send(message);
    await enqueue(await given());
    await flow.drive([sendEmailBot]);
    expect(await events()).toEqual([claimed(1), failed(1, 'permanent')]);
    const last = await client().last(emailEvents, operationId);
    expect(last!.data).toMatchObject({ failure: { stage, kind: 'permanent', doubtful: false } });
  });
});

test('reports a failure with its stage and codes, what names the address sealed', async () => {
  flow.services.transport.failures.push(failure('permanent'));
  await enqueue();
  await flow.drive([sendEmailBot]);
  expect(await events()).toEqual([claimed(1), failed(1, 'permanent')]);
  const last = (await client().last(emailEvents, operationId))!;
  expect(last.data).toMatchObject({ failure: { stage: 'send', kind: 'permanent', code: 451, enhancedCode: '4.2.0' } });
  expect(JSON.stringify(last.data)).not.toContain('ada@example.com');
  expect(await flow.services.vault.openDeep(last.data)).toMatchObject({
    failure: {
      message: '451 4.2.0 ada@example.com is busy',
      conversation: JSON.stringify(['C: RCPT TO:<ada@example.com>', 'S: 451']),
    },
  });
});

test('gives up a mail that goes on failing until its time is over', async () => {
  flow.services.transport.failures.push(...Array.from({ length: 9 }, () => failure('transient')));
  await enqueue({ window: 8_000 });
  await flow.drive([sendEmailBot]);
  expect(await events()).toEqual([claimed(1), retried(1), claimed(2), retried(2), claimed(3), failed(3, 'exhausted')]);
});

test('claims nothing after its time', async () => {
  await enqueue({ window: -1 });
  await flow.drive([sendEmailBot]);
  expect(flow.services.transport.sent).toEqual([]);
  expect(await events()).toEqual([failed(0, 'expired')]);
});

describe('an attempt in doubt', () => {
  test('atLeastOnce: the mail is sent again, under the same Message-ID', async () => {
    flow.services.transport.failures.push(failure('transient', true));
    await enqueue();
    await flow.drive([sendEmailBot]);
    expect(await events()).toEqual([claimed(1), retried(1), claimed(2), sent(2)]);
    const [first, second] = flow.services.transport.sent;
    expect(second).toEqual(first);
  });
  test('atMostOnce: it is given up, and says so', async () => {
    flow.services.transport.failures.push(failure('transient', true));
    await enqueue({ delivery: 'atMostOnce' });
    await flow.drive([sendEmailBot]);
    expect(await events()).toEqual([claimed(1), failed(1, 'inDoubt')]);
  });
  test('an error that is no EmailFailure is one', async () => {
    flow.services.transport.failures.push(new Error('bug'));
    await enqueue({ delivery: 'atMostOnce' });
    await flow.drive([sendEmailBot]);
    expect(await events()).toEqual([claimed(1), failed(1, 'inDoubt')]);
  });

  const claim = () =>
    client().append(
      emailEvents,
      operationId,
      'noStream',
      [{ type: 'email.claimed.v1', data: { attempt: 1, afterDoubt: false } }],
      { correlationId: newId() },
    );
  test('by a claim without an outcome, atLeastOnce: attempt 2 shows it', async () => {
    await enqueue();
    await claim();
    await flow.drive([sendEmailBot]);
    expect(await events()).toEqual([claimed(1), claimed(2), sent(2)]);
    const [, second] = await client().read(emailEvents, operationId);
    expect(second!.data).toEqual({ attempt: 2, afterDoubt: true });
  });
  test('by a claim without an outcome, atMostOnce: nothing is sent', async () => {
    await enqueue({ delivery: 'atMostOnce' });
    await claim();
    await flow.drive([sendEmailBot]);
    expect(flow.services.transport.sent).toEqual([]);
    expect(await events()).toEqual([claimed(1), failed(1, 'inDoubt')]);
  });
});

describe('content', () => {
  const large: Content = { subject: 'Report', text: 'ä'.repeat(20_000) };
  test('too large for a record is read from its blob', async () => {
    await enqueue({ content: large });
    const [operation] = (await flow.stored()).filter(
      ({ stream }) => stream === streamName(emailOperations, operationId),
    );
    expect(operation!.data).toMatchObject({ content: { blob: { id: `${operationId}-content` } } });
    await flow.drive([sendEmailBot]);
    expect(flow.services.transport.sent[0]).toMatchObject(large);
    expect(await events()).toEqual([claimed(1), sent(1)]);
  });
  test('attachments arrive byte for byte, with all options', async () => {
    const bytes = randomBytes(10_000);
    const { blob, sha256 } = await stored(bytes);
    const email = { cc: [{ address: 'cc@example.com' }], priority: 'high', deliveryStatus: true } as const;
    const attachment = { fileName: 'logo.png', mediaType: 'image/png', contentId: 'logo' };
    await enqueue({
      content: { ...small, html: '<img src="cid:logo">', email, attachments: [{ ...attachment, blob, sha256 }] },
    });
    await flow.drive([sendEmailBot]);
    expect(flow.services.transport.sent[0]).toMatchObject({
      ...email,
      html: '<img src="cid:logo">',
      attachments: [{ ...attachment, content: bytes }],
    });
    expect(await events()).toEqual([claimed(1), sent(1)]);
  });

  test('with an attachment that is not what was accepted is not sent, for good', async () => {
    const attachment = await stored('accepted');
    await stored('put in its place');
    await enqueue({ content: { ...small, attachments: [attachment] } });
    await flow.drive([sendEmailBot]);
    expect(flow.services.transport.sent).toEqual([]);
    expect(await events()).toEqual([claimed(1), failed(1, 'permanent')]);
    const last = await client().last(emailEvents, operationId);
    expect(last!.data).toMatchObject({ failure: { stage: 'content', kind: 'permanent', doubtful: false } });
  });

  const attached = async (): Promise<Content> => ({ ...small, attachments: [await stored('x')] });
  test.each<[string, () => Promise<Content>]>([
    ['inline', async () => small],
    ['in a blob', async () => large],
    ['with an attachment', attached],
  ])('%s of a recipient who was erased before is not sent', async (_, content) => {
    await enqueue({ content: await content() });
    await flow.eraseRecipient('user-42');
    await flow.drive([sendEmailBot]);
    expect(flow.services.transport.sent).toEqual([]);
    expect(await events()).toEqual([claimed(1), failed(1, 'recipientErased')]);
  });
});

test('a recipient erased while the mail goes out: it is sent, and nothing of it is kept', async () => {
  await enqueue();
  const { transport } = flow.services;
  const send = transport.send.bind(transport);
  transport.send = async (message) => {
    await flow.eraseRecipient('user-42');
    return send(message);
  };
  await flow.drive([sendEmailBot]);
  const last = await client().last(emailEvents, operationId);
  expect(last).toMatchObject({ type: 'email.sent.v1', data: { receipt: { accepted: 1, detail: null } } });
});
