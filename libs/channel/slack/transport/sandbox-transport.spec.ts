import { expect, test } from '@jest/globals';
import { SandboxSlackTransport, SlackFailure } from './index.js';

const sandbox = new SandboxSlackTransport();

test('hands back the call that would have posted a message', async () => {
  const blocks = [{ type: 'divider' }];
  expect(
    await sandbox.postMessage({ channel: 'C1', text: 'Hello', blocks, threadTs: '1.1', iconEmoji: undefined }),
  ).toEqual({
    call: { method: 'chat.postMessage', arguments: { channel: 'C1', text: 'Hello', blocks, thread_ts: '1.1' } },
  });
});

test('hands back the call that would have shown a file, with what it is', async () => {
  const content = Buffer.from('abc');
  const { call } = await sandbox.uploadFile({ channel: 'C1', fileName: 'a.txt', mediaType: 'text/plain', content });
  expect(call).toMatchObject({
    method: 'files.completeUploadExternal',
    arguments: { channel_id: 'C1', fileName: 'a.txt', mediaType: 'text/plain', size: 3 },
  });
});

test('fails what Slack would refuse at once', async () => {
  const file = { channel: '#general', fileName: 'a.txt', mediaType: 'text/plain', content: Buffer.from('abc') };
  await expect(sandbox.uploadFile(file)).rejects.toThrow(SlackFailure);
});
