import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { eventually, findInFiles, temporaryFolder, useServer, type Api, type TestServer } from '../support/index.js';

const address = 'canary.address@erasure.example.com';
const displayName = 'Canary Display Name';
const subject = 'Canary in the subject';
const text = 'A canary sings in the text.';
const fileName = 'canary-file-name.txt';
const file = 'A canary sits in the attachment.';
const canaries = [address, displayName, subject, text, fileName, file];

const content = {
  subject,
  text,
  attachments: [{ fileName, mediaType: 'text/plain', content: Buffer.from(file).toString('base64') }],
};
/** Too large to stand in a record. */
const largeContent = { ...content, text: `${text}\n${'lorem ipsum '.repeat(3_000)}` };

function putCanary(api: Api): Promise<void> {
  return api.putRecipient('canary', address, { displayName });
}

function erase(api: Api) {
  return api.request('DELETE', '/v1/recipients/canary');
}

/** Nothing of the person is in any file, nor was it logged. */
async function expectNoCanary(server: TestServer): Promise<void> {
  expect(await findInFiles(server.dataDir, canaries)).toEqual([]);
  for (const canary of canaries) expect(server.output).not.toContain(canary);
}

test('the search finds what it looks for in all its forms', async () => {
  const searched = await temporaryFolder();
  try {
    const inside = join(searched.path, 'inside');
    await mkdir(inside);
    const forms = ['utf8', 'utf16le', 'base64', 'base64url'] as const;
    for (const form of forms) {
      for (const before of ['', '1', '12']) {
        const bytes = Buffer.from(`${before}${file}?>~after`);
        const encoded = form === 'utf16le' ? Buffer.from(bytes.toString(), form) : Buffer.from(bytes.toString(form));
        await writeFile(join(inside, `${form}-${before.length}`), encoded);
      }
    }
    const found = new Set((await findInFiles(searched.path, [file])).map((line) => line.split(':')[0]));
    expect(found.size).toBe(forms.length * 3);
    expect(await findInFiles(searched.path, [text])).toEqual([]);
  } finally {
    await searched.remove();
  }
});

describe('with a mail server', () => {
  const server = useServer({ smtp: true });
  const { api } = server;
  let sent: string[];
  let heldBack: string;
  let scheduled: string;
  let refused: string;

  beforeAll(async () => {
    await putCanary(api);
    sent = [await api.notify('canary', { content }), await api.notify('canary', { content: largeContent })];
    for (const id of sent) expect((await api.finalView(id)).status).toBe('sent');
    server.smtp.behave({ at: 'recipient', times: 1, reply: `550 5.1.1 <${address}>: no such user` });
    refused = await api.notify('canary', { content });
    expect((await api.finalView(refused)).status).toBe('failed');
    server.smtp.behave({ at: 'data', recipient: address, reply: `451 4.3.0 <${address}>: try later` });
    heldBack = await api.notify('canary', { content });
    await eventually(async () => {
      const view = await api.view(heldBack);
      return view.channels.email?.operations[0]?.status === 'retrying' ? view : undefined;
    });
    scheduled = await api.notify('canary', { content, deliverAt: new Date(Date.now() + 4_000).toISOString() });
    await api.request(
      'POST',
      '/v1/notifications',
      { recipientId: 'canary', content },
      { 'idempotency-key': 'of the canary' },
    );
  });

  test('nothing stands in the data directory in clear, ever', async () => {
    await expectNoCanary(server);
    expect((await api.view(sent[0]!)).subject).toBe(subject);
  });

  test('a recipient is erased', async () => {
    const answer = await erase(api);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ id: 'canary', erased: true });
    expect((await api.request('GET', '/v1/recipients/canary')).status).toBe(404);
  });

  test('views and events show that something was erased, and not what', async () => {
    for (const id of [...sent, refused]) {
      const view = await api.view(id);
      expect(view.subject).toBe('[erased]');
      expect(view.channels.email!.operations[0]!.to).toBe('[erased]');
      const events = await api.events(id);
      const operation = events.find(({ type }) => type === 'email.send.v1');
      expect(operation!.data).toMatchObject({ to: [{ address: '[erased]', name: '[erased]' }] });
      const shown = JSON.stringify([view, events]);
      for (const canary of canaries) expect(shown).not.toContain(canary);
    }
    expect((await api.view(refused)).channels.email!.operations[0]!.error).toMatchObject({
      code: 550,
      message: '[erased]',
    });
  });

  test('what was pending ends as erased', async () => {
    const mails = server.smtp.mails.length;
    const views = await Promise.all([api.finalView(heldBack), api.finalView(scheduled)]);
    for (const view of views) expect(view).toMatchObject({ status: 'failed', reason: 'recipientErased' });
    expect(views[0].channels.email!.operations[0]!.error).toMatchObject({ reason: 'recipientErased' });
    expect(server.smtp.mails).toHaveLength(mails);
  });

  test('repeated, it answers the same; for somebody unknown, that there is nobody', async () => {
    const [first, second] = [await erase(api), await erase(api)];
    for (const answer of [first, second]) {
      expect(answer).toMatchObject({ status: 200, body: { id: 'canary', erased: true } });
    }
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect((await api.request('DELETE', '/v1/recipients/nobody')).status).toBe(404);
  });

  test('put again, the person is there anew, and the past stays erased', async () => {
    const channels = { email: { address: 'new@example.com' } };
    expect((await api.request('PUT', '/v1/recipients/canary', { channels })).status).toBe(201);
    const read = await api.request('GET', '/v1/recipients/canary');
    expect(read.body).toMatchObject({ displayName: null, channels });
    expect((await api.finalView(await api.notify('canary'))).status).toBe('sent');
    expect(server.smtp.mails.at(-1)!.envelope.to).toEqual(['new@example.com']);
    expect((await api.view(sent[0]!)).subject).toBe('[erased]');
  });

  test('what was to come later is erased also for somebody who was put again', async () => {
    await api.putRecipient('phoenix', 'before@example.com');
    const id = await api.notify('phoenix', { deliverAt: new Date(Date.now() + 700).toISOString() });
    await api.request('DELETE', '/v1/recipients/phoenix');
    await api.putRecipient('phoenix', 'after@example.com');
    expect(await api.finalView(id)).toMatchObject({ status: 'failed', reason: 'recipientErased', subject: '[erased]' });
    expect(server.smtp.mails.flatMap(({ envelope }) => envelope.to)).not.toContain('after@example.com');
  });

  test('nothing is left in the data directory, running, stopped or started again', async () => {
    await expectNoCanary(server);
    await server.stop();
    await expectNoCanary(server);
    await server.start();
    expect((await api.view(sent[0]!)).subject).toBe('[erased]');
    const recipient = await api.request('GET', '/v1/recipients/canary');
    expect(recipient.body).toMatchObject({ channels: { email: { address: 'new@example.com' } } });
    await server.stop();
    await expectNoCanary(server);
  });
});

describe('in the sandbox', () => {
  const server = useServer();
  const { api } = server;
  let message: string;

  beforeAll(async () => {
    await putCanary(api);
    const view = await api.finalView(await api.notify('canary', { content: largeContent }));
    message = view.channels.email!.operations[0]!.message!;
  });

  test('the mail is kept, and not in clear', async () => {
    const mail = await PostalMime.parse((await api.request<string>('GET', message)).body);
    expect(mail.subject).toBe(subject);
    await expectNoCanary(server);
  });

  test('erased, the mail is gone, at once and for good', async () => {
    expect((await erase(api)).status).toBe(200);
    expect((await api.request('GET', message)).status).toBe(404);
    await expectNoCanary(server);
    await server.stop();
    await expectNoCanary(server);
  });
});
