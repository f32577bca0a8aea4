import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SlackDouble } from '#libs/testing';
import { SlackFailure, WebApiSlackTransport, type SlackFile, type SlackMessage } from './index.js';

const token = 'xoxb-canary-0123456789';
const message: SlackMessage = { channel: 'C024BE91L', text: '*Invoice 7*\nPlease pay.' };
const file: SlackFile = {
  channel: 'C024BE91L',
  fileName: 'Rechnung für März.pdf',
  mediaType: 'application/pdf',
  content: randomBytes(100_000),
};

let slack: SlackDouble;
let transport: WebApiSlackTransport;
beforeEach(async () => {
  slack = await SlackDouble.start({ token });
  transport = new WebApiSlackTransport({ token, url: slack.url });
});
afterEach(() => slack.close());

async function failureOf(result: Promise<unknown>): Promise<SlackFailure> {
  const failure: unknown = await result.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof SlackFailure)) throw new Error(`no SlackFailure but ${String(failure)}`);
  expectNoToken(failure);
  return failure;
}

/** Nowhere in an error: not in its fields, its causes or its stack. */
function expectNoToken(failure: Error): void {
  for (let error: unknown = failure; error instanceof Error; error = error.cause) {
    const { stack = '', message: text } = error;
    expect(`${text} ${stack} ${JSON.stringify(error)} ${JSON.stringify(Object.entries(error))}`).not.toContain(token);
  }
}

describe('a message', () => {
  test('is posted with every option, to the byte', async () => {
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'ä€😀 & <b> "\\' } }, { type: 'divider' }];
    const receipt = await transport.postMessage({
      ...message,
      text: 'ä€😀 &amp; 100 % + "quoted"\n*bold* =?',
      mrkdwn: false,
      blocks,
      threadTs: '1700000000.000100',
      linkNames: true,
      unfurlLinks: false,
      unfurlMedia: true,
      iconEmoji: ':bell:',
      iconUrl: 'https://example.com/a.png?b=c&d',
      username: 'Tidings & Co',
    });
    expect(slack.messages).toEqual([
      {
        channel: 'C024BE91L',
        ts: receipt.ts,
        arguments: {
          channel: 'C024BE91L',
          text: 'ä€😀 &amp; 100 % + "quoted"\n*bold* =?',
          mrkdwn: 'false',
          blocks: JSON.stringify(blocks),
          thread_ts: '1700000000.000100',
          link_names: 'true',
          unfurl_links: 'false',
          unfurl_media: 'true',
          icon_emoji: ':bell:',
          icon_url: 'https://example.com/a.png?b=c&d',
          username: 'Tidings & Co',
        },
      },
    ]);
    expect(JSON.parse(receipt.response!)).toMatchObject({ ok: true, ts: receipt.ts, channel: 'C024BE91L' });
  });

  test('has no arguments but those that were given', async () => {
    await transport.postMessage({ ...message, blocks: undefined, threadTs: undefined });
    expect(slack.messages[0]!.arguments).toEqual({ ...message });
  });

  test('goes out once, as a form, with the token in the Authorization header only', async () => {
    await transport.postMessage(message);
    const [call, ...others] = slack.calls;
    expect(others).toEqual([]);
    expect(call).toMatchObject({
      url: '/api/chat.postMessage',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(call!.body.toString()).not.toContain(token);
    const { authorization: _, ...headers } = call!.headers;
    expect(JSON.stringify(headers)).not.toContain(token);
  });
});

describe('ok: false', () => {
  test.each([
    ['channel_not_found', 'permanent', false, 'send'],
    ['is_archived', 'permanent', false, 'send'],
    ['msg_too_long', 'permanent', false, 'send'],
    ['an_error_of_tomorrow', 'permanent', false, 'send'],
    ['invalid_auth', 'permanent', false, 'authenticate'],
    ['missing_scope', 'permanent', false, 'authenticate'],
    ['ratelimited', 'transient', false, 'send'],
    ['service_unavailable', 'transient', false, 'send'],
    ['request_timeout', 'transient', false, 'send'],
    ['internal_error', 'transient', true, 'send'],
    ['fatal_error', 'transient', true, 'send'],
  ])('%s', async (error, kind, doubtful, stage) => {
    const answer = { ok: false, error, response_metadata: { messages: ['[ERROR] why'] } };
    slack.behave({ method: 'chat.postMessage', reply: { body: answer } });
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ stage, kind, doubtful, code: error, httpStatus: 200 });
    expect(failure.response).toBe(JSON.stringify(answer));
    expect(failure.message).toContain(error);
    expect(slack.calls).toHaveLength(1);
  });

  test('as Slack itself says it: an unknown channel, another token', async () => {
    await slack.close();
    slack = await SlackDouble.start({ token, channels: ['C1'] });
    transport = new WebApiSlackTransport({ token, url: slack.url });
    expect(await failureOf(transport.postMessage(message))).toMatchObject({ code: 'channel_not_found' });
    transport = new WebApiSlackTransport({ token: 'xoxb-another', url: slack.url });
    expect(await failureOf(transport.postMessage(message))).toMatchObject({ code: 'invalid_auth' });
  });
});

describe('HTTP', () => {
  test.each([
    ['3', 3_000],
    ['0', 0],
    ['soon', undefined],
    ['99999999999999', 24 * 3_600_000],
  ])('429 with Retry-After: %s is obeyed by the caller: one request', async (header, retryAfter) => {
    const body = { ok: false, error: 'ratelimited' };
    slack.behave({ method: 'chat.postMessage', reply: { status: 429, headers: { 'retry-after': header }, body } });
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ stage: 'send', kind: 'transient', doubtful: false, httpStatus: 429 });
    expect(failure.retryAfter).toBe(retryAfter);
    expect(failure.response).toBe(JSON.stringify(body));
    expect(slack.calls).toHaveLength(1);
  });

  test('429 with a date', async () => {
    const at = new Date(Date.now() + 60_000).toUTCString();
    slack.behave({ method: 'chat.postMessage', reply: { status: 429, headers: { 'retry-after': at }, body: '' } });
    const { retryAfter, code } = await failureOf(transport.postMessage(message));
    expect(retryAfter).toBeGreaterThan(50_000);
    expect(retryAfter).toBeLessThanOrEqual(60_000);
    expect(code).toBeUndefined();
  });

  test.each([
    [500, 'transient', true],
    [502, 'transient', true],
    [503, 'transient', false],
    [404, 'permanent', false],
    [302, 'permanent', false],
  ])('%d', async (status, kind, doubtful) => {
    const reply = { status, headers: { location: 'http://127.0.0.1:1/' }, body: '<html>oops' };
    slack.behave({ method: 'chat.postMessage', reply });
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ stage: 'send', kind, doubtful, httpStatus: status, response: '<html>oops' });
    expect(failure.code).toBeUndefined();
    expect(slack.calls).toHaveLength(1);
  });

  test.each(['<html>welcome to our proxy', '', 'ok', 'null', '[]', '{"ok":"true"}', '{"ok":true'])(
    '200 with %j, which is not Slack: nobody knows what became of the message',
    async (body) => {
      slack.behave({ method: 'chat.postMessage', reply: { body } });
      const failure = await failureOf(transport.postMessage(message));
      expect(failure).toMatchObject({
        stage: 'send',
        kind: 'transient',
        doubtful: true,
        httpStatus: 200,
        response: body,
      });
      expect(failure.code).toBeUndefined();
    },
  );
});

describe('an answer without an end', () => {
  const endless = 'x'.repeat(3_000_000);

  test.each([
    [200, 'transient', true],
    [500, 'transient', true],
    [404, 'permanent', false],
  ])('%d to a message', async (status, kind, doubtful) => {
    slack.behave({ method: 'chat.postMessage', reply: { status, body: endless } });
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ stage: 'send', kind, doubtful, httpStatus: status });
    expect(failure.message).toBe(`Slack answered more than 1048576 bytes (HTTP ${status})`);
    expect(failure.response).toBeUndefined();
  });

  test('to the bytes of a file: nothing is shown yet, so it may be repeated', async () => {
    slack.behave({ method: 'upload', reply: { body: endless } });
    const failure = await failureOf(transport.uploadFile(file));
    expect(failure).toMatchObject({ stage: 'upload', kind: 'transient', doubtful: false, httpStatus: 200 });
    expect(failure.message).toContain('more than 1048576 bytes');
  });
});

describe('the network', () => {
  test('refuses: nothing was sent', async () => {
    await slack.refuseConnections();
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ stage: 'connect', kind: 'transient', doubtful: false });
    expect(failure.httpStatus).toBeUndefined();
    expect(failure.message).toContain('ECONNREFUSED');
  });

  test('does not know the name: nothing was sent', async () => {
    transport = new WebApiSlackTransport({ token, url: 'https://slack.invalid/api/' });
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ stage: 'connect', kind: 'transient', doubtful: false });
  });

  test('breaks within the TLS handshake: nothing was sent', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.destroy()));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      transport = new WebApiSlackTransport({ token, url: `https://127.0.0.1:${port}/api/` });
      const failure = await failureOf(transport.postMessage(message));
      expect(failure).toMatchObject({ stage: 'connect', kind: 'transient', doubtful: false });
    } finally {
      server.close();
    }
  });

  test.each(['beforeReply', 'withinReply'] as const)('breaks after the request, %s: it is in doubt', async (drop) => {
    slack.behave({ method: 'chat.postMessage', drop });
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ stage: 'connect', kind: 'transient', doubtful: true });
    expect(slack.messages).toHaveLength(1);
    expect(slack.calls).toHaveLength(1);
  });

  test('is slow: it is in doubt', async () => {
    let release: (value: unknown) => void = () => {};
    slack.behave({ method: 'chat.postMessage', wait: new Promise((resolve) => (release = resolve)) });
    transport = new WebApiSlackTransport({ token, url: slack.url, timeout: 50 });
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ stage: 'connect', kind: 'transient', doubtful: true });
    expect(failure.message).toMatch(/timeout/);
    release(undefined);
  });
});

describe('the token', () => {
  test('is not in a failure, even when something on the way repeats it', async () => {
    slack.behave({
      method: 'chat.postMessage',
      reply: { status: 400, body: { ok: false, error: `no ${token} here` } },
    });
    const failure = await failureOf(transport.postMessage(message));
    expect(failure).toMatchObject({ kind: 'permanent', response: '{"ok":false,"error":"no [token] here"}' });
    expect(failure.code).toBeUndefined();
  });

  test('is not in a receipt either', async () => {
    slack.behave({ method: 'chat.postMessage', reply: { body: { ok: true, ts: '1.1', from: token } } });
    expect((await transport.postMessage(message)).response).toContain('"from":"[token]"');
  });

  test('is not in what is written to the console, whatever Slack warns of', async () => {
    const written: unknown[] = [];
    const { stdout, stderr } = process;
    const writes = [stdout.write.bind(stdout), stderr.write.bind(stderr)] as const;
    stdout.write = stderr.write = (chunk: unknown) => written.push(chunk) > 0;
    try {
      const warnings = { warnings: [`careful with ${token}`], messages: [`[WARN] ${token}`] };
      const body = { ok: true, ts: '1.1', response_metadata: warnings };
      slack.behave({ method: 'chat.postMessage', times: 1, reply: { body } });
      await transport.postMessage(message);
      await slack.refuseConnections();
      await failureOf(transport.postMessage({ ...message, text: '' }));
    } finally {
      [stdout.write, stderr.write] = writes;
    }
    expect(written).toEqual([]);
  });
});

describe('a file', () => {
  test('arrives in its channel, byte for byte, in three requests', async () => {
    const receipt = await transport.uploadFile({ ...file, threadTs: '1700000000.000100' });
    expect(slack.files).toEqual([
      {
        id: 'F00000001',
        fileName: file.fileName,
        title: file.fileName,
        channel: file.channel,
        threadTs: '1700000000.000100',
        content: file.content,
      },
    ]);
    const methods = slack.calls.map(({ method }) => method);
    expect(methods).toEqual(['files.getUploadURLExternal', 'upload', 'files.completeUploadExternal']);
    expect(receipt.ts).toBeUndefined();
    expect(JSON.parse(receipt.response!)).toMatchObject({ ok: true, files: [{ id: 'F00000001' }] });
  });

  test('is uploaded without the token: its URL is enough, and may lead to another host', async () => {
    await transport.uploadFile(file);
    const { headers, url } = slack.calls.find(({ method }) => method === 'upload')!;
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(JSON.stringify({ headers, url })).not.toContain(token);
  });

  test.each(['#general', 'general', 'ada@example.com', ''])(
    'for %j, which is no id, is not uploaded',
    async (channel) => {
      const failure = await failureOf(transport.uploadFile({ ...file, channel }));
      expect(failure).toMatchObject({ stage: 'participants', kind: 'permanent', doubtful: false });
      expect(failure.message).toContain("channel's id");
      expect(slack.calls).toEqual([]);
    },
  );

  test.each([
    ['files.getUploadURLExternal', 'upload', false],
    ['upload', 'upload', false],
    ['files.completeUploadExternal', 'send', true],
  ])('of which %s fails: only the last request can have shown it', async (method, stage, doubtful) => {
    slack.behave({ method, times: 1, reply: { status: 500, body: 'oops' } });
    const refused = await failureOf(transport.uploadFile(file));
    expect(refused).toMatchObject({ stage, kind: 'transient', doubtful, httpStatus: 500 });
    slack.behave({ method, times: 1, drop: 'beforeReply' });
    const broken = await failureOf(transport.uploadFile(file));
    expect(broken).toMatchObject({ stage: 'connect', kind: 'transient', doubtful });
    await transport.uploadFile(file);
    expect(slack.files.at(-1)!.content).toEqual(file.content);
  });

  test('that Slack gives no URL for fails', async () => {
    slack.behave({ method: 'files.getUploadURLExternal', reply: { body: { ok: true, file_id: 'F1' } } });
    expect(await failureOf(transport.uploadFile(file))).toMatchObject({ stage: 'upload', kind: 'transient' });
  });

  test('whose upload is too slow fails', async () => {
    let release: (value: unknown) => void = () => {};
    slack.behave({ method: 'upload', wait: new Promise((resolve) => (release = resolve)) });
    transport = new WebApiSlackTransport({ token, url: slack.url, uploadTimeout: 50 });
    const failure = await failureOf(transport.uploadFile(file));
    expect(failure).toMatchObject({ stage: 'connect', kind: 'transient', doubtful: false });
    release(undefined);
  });
});
