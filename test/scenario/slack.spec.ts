import { expect, test } from '@jest/globals';
import { findInFiles, useServer } from '../support/index.js';

const token = 'xoxb-canary-0123456789';

const server = useServer({ slack: { token } });
const { api } = server;
let printed = '';

/** A recipient in a Slack channel. */
async function putRecipient(id: string, channel: string): Promise<void> {
  const answer = await api.request('PUT', `/v1/recipients/${id}`, { channels: { slack: { channel } } });
  expect(answer.status).toBe(201);
}

test('the start says where it posts to', () => {
  expect(server.output).toMatch(/^ {2}slack 127\.0\.0\.1:\d+$/m);
});

test('a message and its attachment arrive, the message first', async () => {
  await putRecipient('ada', 'CADA');
  const bytes = Buffer.from('%PDF-1.7 …');
  const attachments = [{ fileName: 'i.pdf', mediaType: 'application/pdf', content: bytes.toString('base64') }];
  const blocks = [{ type: 'section', text: { type: 'plain_text', text: 'Hi', emoji: null } }];
  const options = { blocks, threadTs: '1700000000.000100', iconEmoji: ':bell:', username: null };
  const content = { subject: 'Invoice <7>', text: 'Please pay & smile.', slack: options, attachments };
  const view = await api.finalView(await api.notify('ada', { content }));
  expect(view).toMatchObject({ status: 'sent', sandbox: false });
  expect(server.slack.messages.map((message) => message.arguments)).toEqual([
    {
      channel: 'CADA',
      text: '*Invoice &lt;7&gt;*\nPlease pay &amp; smile.',
      blocks: JSON.stringify(blocks),
      thread_ts: '1700000000.000100',
      icon_emoji: ':bell:',
    },
  ]);
  expect(server.slack.files).toMatchObject([{ channel: 'CADA', threadTs: '1700000000.000100', content: bytes }]);
  expect(server.slack.calls[0]!.method).toBe('chat.postMessage');
});

test('429: the next attempt comes after Retry-After, and counts', async () => {
  await putRecipient('later', 'CLATER');
  const reply = { status: 429, headers: { 'retry-after': '3' }, body: { ok: false, error: 'ratelimited' } };
  server.slack.behave({ method: 'chat.postMessage', channel: 'CLATER', times: 1, reply });
  const view = await api.finalView(await api.notify('later'));
  expect(view.channels.slack!.operations).toMatchObject([{ status: 'succeeded', attempts: 2 }]);
  const [first, second, ...others] = server.slack.calls.filter((call) => call.arguments['channel'] === 'CLATER');
  expect(others).toEqual([]);
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(3_000);
});

test('ok: false: failed, with what Slack said, and nothing of it in the log', async () => {
  await putRecipient('gone', 'CGONE');
  const body = { ok: false, error: 'is_archived', echo: token };
  server.slack.behave({ method: 'chat.postMessage', channel: 'CGONE', reply: { body } });
  const view = await api.finalView(await api.notify('gone'));
  expect(view).toMatchObject({ status: 'failed' });
  const [operation] = view.channels.slack!.operations;
  expect(operation).toMatchObject({ status: 'failed', attempts: 1, error: { stage: 'send', code: 'is_archived' } });
  expect(server.output).not.toContain('CGONE');
});

test('killed while messages wait for their turn: each of them is posted, one a second', async () => {
  await putRecipient('hot', 'CHOT');
  const texts = Array.from({ length: 5 }, (_, n) => `message ${n}`);
  const content = { subject: 'x', text: 'x' };
  const before = server.slack.messages.length;
  const ids = await Promise.all(texts.map((text) => api.notify('hot', { content: { ...content, slack: { text } } })));
  const posted = () => server.slack.messages.filter(({ channel }) => channel === 'CHOT');
  await server.slack.posted(before + 2);
  printed += server.output;
  await server.kill();
  await server.start();
  for (const id of ids) expect(await api.finalView(id)).toMatchObject({ status: 'sent' });
  // One that was under way when the process was killed is in doubt, and posted again.
  const counts = texts.map((text) => posted().filter((message) => message.arguments['text'] === text).length);
  expect(Math.min(...counts)).toBe(1);
  expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(6);
  const times = server.slack.calls.filter((call) => call.arguments['channel'] === 'CHOT').map(({ at }) => at);
  expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(3_000);
});

test('the token is in no file, in nothing printed, and in no request but its Authorization header', async () => {
  await server.stop();
  printed += server.output;
  expect(printed).not.toContain(token);
  expect(await findInFiles(server.dataDir, [token])).toEqual([]);
  for (const { url, body, headers } of server.slack.calls) {
    const { authorization: _, ...others } = headers;
    expect(url + body.toString('latin1') + JSON.stringify(others)).not.toContain(token);
  }
});
