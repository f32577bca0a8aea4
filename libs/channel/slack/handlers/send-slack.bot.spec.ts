import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Content, ContentAttachment } from '#libs/content';
import { newId } from '#libs/kernel';
import { recipientOwner } from '#libs/recipient';
import { defineClient, openClient, type DeliveryPolicy } from '#libs/runtime';
import { SlackDouble } from '#libs/testing';
import { NotificationFlow } from '#libs/testing/flow';
import { SlackController } from '../http/slack.controller.js';
import { slackEvents } from '../event/slack-events.js';
import { slackOperations } from '../operations/slack-operations.js';
import { SandboxSlackTransport, SlackFailure, WebApiSlackTransport } from '../transport/index.js';
import { sendSlackBot } from './send-slack.bot.js';

const owner = recipientOwner('user-42');
const testClient = defineClient({
  name: 'test.client',
  looksUp: [slackEvents],
  writes: [slackOperations, slackEvents],
});
const small: Content = { subject: 'Invoice <7>', text: 'Please pay 5 > 3 & more.' };

const failure = (kind: 'transient' | 'permanent', doubtful = false, retryAfter?: number) =>
  new SlackFailure('Slack answered channel_not_found for C024BE91L', {
    stage: 'send',
    kind,
    doubtful,
    code: 'channel_not_found',
    httpStatus: 200,
    response: '{"ok":false,"error":"channel_not_found","channel":"C024BE91L"}',
    retryAfter,
  });

let flow: NotificationFlow;
let operationId: string;
beforeEach(async () => {
  flow = await NotificationFlow.open();
  operationId = newId();
});
afterEach(() => flow.close());

const client = () => openClient(flow.store, testClient);
const drive = () => flow.drive([sendSlackBot]);

interface Enqueued {
  readonly content?: Content;
  readonly channel?: string;
  readonly delivery?: DeliveryPolicy;
  /** Milliseconds from now until its time is over. */
  readonly window?: number;
  /** Of the file to upload; a message when left out. */
  readonly attachment?: number;
  readonly id?: string;
}

async function enqueue(given: Enqueued = {}): Promise<void> {
  const { content = small, channel = 'C024BE91L', delivery = 'atLeastOnce', window = 60_000, attachment } = given;
  const { vault, contents } = flow.services;
  const id = given.id ?? operationId;
  const operation = {
    channel: await vault.sealFor(owner, 'address', channel),
    content: await contents.seal(owner, `${id}-content`, content),
    notAfter: new Date(flow.now() + window).toISOString(),
    delivery,
  };
  const message =
    attachment === undefined
      ? ({ type: 'slack.send-message.v1', data: operation } as const)
      : ({ type: 'slack.upload-file.v1', data: { ...operation, attachment } } as const);
  await client().append(slackOperations, id, 'noStream', [message], { correlationId: newId() });
}

async function attach(bytes: Buffer, name = 'a.pdf'): Promise<ContentAttachment> {
  const blob = await flow.services.blobs.put(owner, `${operationId}-attachment-${name.length}`, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { fileName: name, mediaType: 'application/pdf', blob, sha256 };
}

/** What happened, in short; and to handle the operation again changes nothing. */
async function events(): Promise<unknown[][]> {
  const records = await client().read(slackEvents, operationId);
  const before = await flow.stored();
  const { length } = flow.services.slackTransport.sent;
  await drive();
  expect(await flow.stored()).toEqual(before);
  expect(flow.services.slackTransport.sent).toHaveLength(length);
  return records.map(({ type, data }) => [type, data.attempt, 'reason' in data ? data.reason : undefined]);
}

const lastData = async () => (await client().last(slackEvents, operationId))!.data;
const claimed = (attempt: number) => ['slack.claimed.v1', attempt, undefined];
const retried = (attempt: number) => ['slack.attempt-failed.v1', attempt, undefined];
const sent = (attempt: number) => ['slack.sent.v1', attempt, undefined];
const failed = (attempt: number, reason: string) => ['slack.failed.v1', attempt, reason];

describe('a message', () => {
  test('is composed of subject and text, escaped as Slack wants it', async () => {
    await enqueue();
    await drive();
    expect(flow.services.slackTransport.sent).toEqual([
      { channel: 'C024BE91L', text: '*Invoice &lt;7&gt;*\nPlease pay 5 &gt; 3 &amp; more.' },
    ]);
    expect(await events()).toEqual([claimed(1), sent(1)]);
    const data = await lastData();
    expect(data).toMatchObject({ receipt: { sandbox: false, ts: '0.0', payload: null, file: null } });
    expect(await flow.services.vault.openDeep(data)).toMatchObject({ receipt: { detail: '{"ok":true}' } });
  });

  test('that is plain has no markup', async () => {
    await enqueue({ content: { ...small, slack: { mrkdwn: false } } });
    await drive();
    const text = 'Invoice &lt;7&gt;\nPlease pay 5 &gt; 3 &amp; more.';
    expect(flow.services.slackTransport.sent).toEqual([{ channel: 'C024BE91L', text, mrkdwn: false }]);
  });

  test('has all of the options, and a text of its own as it is', async () => {
    const slack = {
      text: 'See <https://example.com|invoice>',
      mrkdwn: true,
      blocks: [{ type: 'divider' }],
      threadTs: '1700000000.000100',
      linkNames: true,
      unfurlLinks: false,
      unfurlMedia: false,
      iconEmoji: ':bell:',
      iconUrl: 'https://example.com/a.png',
      username: 'Tidings',
    };
    await enqueue({ content: { ...small, slack } });
    await drive();
    expect(flow.services.slackTransport.sent).toEqual([{ channel: 'C024BE91L', ...slack }]);
  });
});

describe('a file', () => {
  test('is uploaded byte for byte, into the thread of the message', async () => {
    const bytes = randomBytes(10_000);
    const attachments = [await attach(Buffer.from('x'), 'first.pdf'), await attach(bytes)];
    await enqueue({ attachment: 1, content: { ...small, attachments, slack: { threadTs: '1.1' } } });
    await drive();
    const { fileName, mediaType } = attachments[1]!;
    expect(flow.services.slackTransport.sent).toEqual([
      { channel: 'C024BE91L', threadTs: '1.1', fileName, mediaType, content: bytes },
    ]);
    expect(await events()).toEqual([claimed(1), sent(1)]);
    expect(await lastData()).toMatchObject({ receipt: { ts: null, file: null } });
  });

  test('that the content does not have fails for good', async () => {
    await enqueue({ attachment: 0 });
    await drive();
    expect(await events()).toEqual([claimed(1), failed(1, 'permanent')]);
    expect(await lastData()).toMatchObject({ failure: { stage: 'content' } });
  });

  test('whose bytes are others than those accepted fails for good', async () => {
    const attachment = { ...(await attach(Buffer.from('x'))), sha256: 'another' };
    await enqueue({ attachment: 0, content: { ...small, attachments: [attachment] } });
    await drive();
    expect(await events()).toEqual([claimed(1), failed(1, 'permanent')]);
    expect(await lastData()).toMatchObject({ failure: { stage: 'content' } });
  });
});

describe('a failure', () => {
  test('is reported with its stage and code, what Slack said sealed', async () => {
    flow.services.slackTransport.failures.push(failure('permanent'));
    await enqueue();
    await drive();
    expect(await events()).toEqual([claimed(1), failed(1, 'permanent')]);
    const data = await lastData();
    const report = { stage: 'send', kind: 'permanent', code: 'channel_not_found', httpStatus: 200, doubtful: false };
    expect(data).toMatchObject({ failure: report });
    expect(JSON.stringify(data)).not.toContain('C024BE91L');
    const { message, response } = failure('permanent');
    expect(await flow.services.vault.openDeep(data)).toMatchObject({ failure: { message, response } });
  });

  test('that may pass is tried again, until the time is over', async () => {
    flow.services.slackTransport.failures.push(...Array.from({ length: 9 }, () => failure('transient')));
    await enqueue({ window: 8_000 });
    await drive();
    expect(await events()).toEqual([
      claimed(1),
      retried(1),
      claimed(2),
      retried(2),
      claimed(3),
      failed(3, 'exhausted'),
    ]);
  });

  test('in doubt is tried again where delivery is at least once, and given up where it is at most once', async () => {
    flow.services.slackTransport.failures.push(failure('transient', true));
    await enqueue();
    await drive();
    expect(await events()).toEqual([claimed(1), retried(1), claimed(2), sent(2)]);
    operationId = newId();
    flow.services.slackTransport.failures.push(new Error('bug'));
    await enqueue({ delivery: 'atMostOnce' });
    await drive();
    expect(await events()).toEqual([claimed(1), failed(1, 'inDoubt')]);
  });

  test.each<[DeliveryPolicy, unknown[][]]>([
    ['atLeastOnce', [claimed(1), claimed(2), sent(2)]],
    ['atMostOnce', [claimed(1), failed(1, 'inDoubt')]],
  ])('that a crash left unsaid, %s', async (delivery, expected) => {
    await enqueue({ delivery });
    const claim = { type: 'slack.claimed.v1', data: { attempt: 1, afterDoubt: false } } as const;
    await client().append(slackEvents, operationId, 'noStream', [claim], { correlationId: newId() });
    await drive();
    expect(await events()).toEqual(expected);
  });
});

test('the token stands in no record, sealed or in clear, though Slack repeats it', async () => {
  const token = 'xoxb-canary-0123456789';
  const slack = await SlackDouble.start({ token });
  try {
    Object.assign(flow.services, { slackTransport: new WebApiSlackTransport({ token, url: slack.url }) });
    slack.behave({ method: 'chat.postMessage', times: 1, reply: { status: 500, body: `no ${token}` } });
    slack.behave({ method: 'chat.postMessage', times: 1, reply: { body: { ok: true, ts: '1.1', from: token } } });
    await enqueue();
    await drive();
    const records = await flow.services.vault.openDeep(await flow.stored());
    expect(JSON.stringify(records)).toContain('no [token]');
    expect(JSON.stringify(records)).not.toContain(token);
    expect(await lastData()).toMatchObject({ attempt: 2, receipt: { ts: '1.1' } });
  } finally {
    await slack.close();
  }
});

describe('Retry-After', () => {
  test('counts where it is longer than the wait', async () => {
    flow.services.slackTransport.failures.push(failure('transient', false, 30_000));
    await enqueue();
    const before = flow.now();
    await drive();
    expect(await events()).toEqual([claimed(1), retried(1), claimed(2), sent(2)]);
    const [, retry] = await client().read(slackEvents, operationId);
    expect((retry!.data as { retryAt: number }).retryAt).toBeGreaterThanOrEqual(before + 30_000);
    expect(flow.now()).toBeGreaterThanOrEqual(before + 30_000);
  });

  test('that is longer than the time left ends the operation', async () => {
    flow.services.slackTransport.failures.push(failure('transient', false, 61_000));
    await enqueue();
    await drive();
    expect(await events()).toEqual([claimed(1), failed(1, 'exhausted')]);
  });
});

test('claims nothing after its time', async () => {
  await enqueue({ window: -1 });
  await drive();
  expect(flow.services.slackTransport.sent).toEqual([]);
  expect(await events()).toEqual([failed(0, 'expired')]);
});

describe('a recipient who was erased', () => {
  test('before is told nothing', async () => {
    await enqueue({ attachment: 0, content: { ...small, attachments: [await attach(Buffer.from('x'))] } });
    await flow.eraseRecipient('user-42');
    await drive();
    expect(flow.services.slackTransport.sent).toEqual([]);
    expect(await events()).toEqual([claimed(1), failed(1, 'recipientErased')]);
  });

  test('while the message goes out: nothing of it is kept', async () => {
    await enqueue();
    const { slackTransport } = flow.services;
    const post = slackTransport.postMessage.bind(slackTransport);
    slackTransport.postMessage = async (message) => {
      await flow.eraseRecipient('user-42');
      return post(message);
    };
    await drive();
    expect(await lastData()).toMatchObject({ receipt: { sandbox: false, detail: null } });
  });
});

describe('the sandbox', () => {
  let controller: SlackController;
  beforeEach(() => {
    Object.assign(flow.services, { slackTransport: new SandboxSlackTransport() });
    controller = new SlackController({ client: client(), blobs: flow.services.blobs });
  });

  const textOf = async (result: ReturnType<SlackController['message']>): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of (await result).getStream()) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  };

  test('keeps the call that would have posted the message, and shows it', async () => {
    await enqueue({ content: { ...small, slack: { text: 'Hello', threadTs: '1.1' } } });
    await drive();
    expect(await lastData()).toMatchObject({ receipt: { sandbox: true, ts: null, detail: null, file: null } });
    expect(JSON.parse(await textOf(controller.message(operationId)))).toEqual({
      method: 'chat.postMessage',
      channel: 'C024BE91L',
      text: 'Hello',
      thread_ts: '1.1',
    });
    await expect(controller.file(operationId)).rejects.toMatchObject({ status: 404 });
  });

  test('keeps a file: what it is, and its bytes', async () => {
    await enqueue({ attachment: 0, content: { ...small, attachments: [await attach(Buffer.from('the bytes'))] } });
    await drive();
    expect(JSON.parse(await textOf(controller.message(operationId)))).toMatchObject({
      method: 'files.completeUploadExternal',
      channel_id: 'C024BE91L',
      fileName: 'a.pdf',
      mediaType: 'application/pdf',
      size: 9,
    });
    expect(await textOf(controller.file(operationId))).toBe('the bytes');
  });

  test('shows nothing of who was erased, of what is unknown, or of no id', async () => {
    await enqueue();
    await drive();
    await flow.eraseRecipient('user-42');
    for (const id of [operationId, newId(), 'no-id']) {
      await expect(controller.message(id)).rejects.toMatchObject({ status: 404 });
    }
  });

  test('keeps no pace', async () => {
    const before = flow.now();
    for (let n = 0; n < 10; n += 1) await enqueue({ id: newId() });
    await drive();
    expect(flow.now() - before).toBeLessThan(5_000);
  });
});
