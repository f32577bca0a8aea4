import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LogLevel, WebClient } from '@slack/web-api';
import { SlackDouble } from './index.js';

let slack: SlackDouble;
let client: WebClient;
beforeEach(async () => {
  slack = await SlackDouble.start({ channels: ['C1'] });
  client = new WebClient(slack.token, quiet());
});
afterEach(() => slack.close());

const quiet = () => ({ slackApiUrl: slack.url, retryConfig: { retries: 0 }, logLevel: LogLevel.ERROR });

const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: { readonly data?: { readonly error?: string } }) => error.data?.error,
  );

test("takes what Slack's own client posts and uploads", async () => {
  const { ts } = await client.chat.postMessage({ channel: 'C1', text: 'ä & b' });
  expect(await slack.posted(1)).toEqual([{ channel: 'C1', ts, arguments: { channel: 'C1', text: 'ä & b' } }]);
  const content = Buffer.from('the bytes');
  await client.filesUploadV2({ channel_id: 'C1', filename: 'a.txt', file: content });
  expect(slack.files).toMatchObject([{ channel: 'C1', fileName: 'a.txt', content }]);
});

test('refuses what Slack refuses', async () => {
  expect(await errorOf(client.chat.postMessage({ channel: 'C2', text: 'x' }))).toBe('channel_not_found');
  expect(await errorOf(client.chat.postMessage({ channel: 'C1', text: '' }))).toBe('no_text');
  expect(await errorOf(client.chat.postMessage({ channel: 'C1', text: 'x'.repeat(40_001) }))).toBe('msg_too_long');
  expect(await errorOf(client.apiCall('chat.everything'))).toBe('unknown_method');
  expect(await errorOf(client.files.completeUploadExternal({ files: [{ id: 'F1' }], channel_id: 'C1' }))).toBe(
    'file_not_found',
  );
  const other = new WebClient('xoxb-other', quiet());
  expect(await errorOf(other.chat.postMessage({ channel: 'C1', text: 'x' }))).toBe('invalid_auth');
});

test.each([
  ['no form', 'chat.postMessage', { 'content-type': 'application/json' }, 'invalid_post_type'],
  ['no token', 'chat.postMessage', {}, 'not_authed'],
  ['a query', 'chat.postMessage?token=xoxb-test', {}, 'invalid_arguments'],
])('refuses a call with %s', async (_, path, headers, error) => {
  const form = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
  const response = await fetch(slack.url + path, { method: 'POST', headers: form, body: 'channel=C1&text=x' });
  expect(await response.json()).toEqual({ ok: false, error });
});

test('acts as it is told, as often as it is told', async () => {
  slack.behave({ method: 'chat.postMessage', channel: 'C1', times: 1, reply: { body: { ok: false, error: 'no' } } });
  expect(await errorOf(client.chat.postMessage({ channel: 'C1', text: 'x' }))).toBe('no');
  expect(slack.messages).toEqual([]);
  const moments: string[] = [];
  slack.onReply = (moment, { method }) => moments.push(`${moment} ${method}`);
  expect(await errorOf(client.chat.postMessage({ channel: 'C1', text: 'x' }))).toBeUndefined();
  expect(moments).toEqual(['before chat.postMessage', 'after chat.postMessage']);
});
