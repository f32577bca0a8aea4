import { expect, test } from '@jest/globals';
import { messageIdFor, type EmailMessage } from './email-message.js';
import { SandboxTransport } from './sandbox-transport.js';

const message: EmailMessage = {
  from: { address: 'office@example.org' },
  to: [{ address: 'ann@example.org' }],
  bcc: [{ address: 'secret@example.org' }],
  subject: 'Hello',
  text: 'Hello Ann',
  messageId: messageIdFor('1', 'example.org'),
  date: 0,
};

test('hands the whole mail back and lists bcc in the receipt only', async () => {
  const sandbox = new SandboxTransport();
  const receipt = await sandbox.send(message);
  expect(sandbox.sandbox).toBe(true);
  expect(receipt.accepted).toEqual(['ann@example.org', 'secret@example.org']);
  expect(receipt.mime!.toString()).toContain('Hello Ann');
  expect(receipt.mime!.toString()).not.toContain('secret');
  expect(receipt.bytes).toBe(receipt.mime!.length);
  await sandbox.close();
});

test('refuses what the real one refuses', async () => {
  await expect(new SandboxTransport().send({ ...message, to: [] })).rejects.toMatchObject({ stage: 'participants' });
});
