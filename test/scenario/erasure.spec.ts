import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { SmtpDouble } from '#libs/testing';
import { Api, eventually, findInFiles, startServer, temporaryFolder, type ServerProcess } from '../support/index.js';

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

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: ServerProcess;
let api: Api;
let environment: Readonly<Record<string, string>>;

async function start(): Promise<void> {
  server = await startServer(folder.path, environment);
  api = new Api(server.url);
}

async function putCanary(): Promise<void> {
  await api.putRecipient('canary', address, { displayName });
}

function erase() {
  return api.request('DELETE', '/v1/recipients/canary');
}

/** Nothing of the person is in any file, nor was it logged. */
async function expectNoCanary(): Promise<void> {
  expect(await findInFiles(folder.path, canaries)).toEqual([]);
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
  let smtp: SmtpDouble;
  let sent: string[];
  let heldBack: string;
  let scheduled: string;
  let refused: string;

  beforeAll(async () => {
    [smtp, folder] = await Promise.all([SmtpDouble.start({ security: 'plain' }), temporaryFolder()]);
    environment = { TIDINGS_SMTP_URL: smtp.url };
    await start();
    await putCanary();
    sent = [await api.notify('canary', { content }), await api.notify('canary', { content: largeContent })];
    for (const id of sent) expect((await api.finalView(id)).status).toBe('sent');
    smtp.behave({ at: 'recipient', times: 1, reply: `550 5.1.1 <${address}>: no such user` });
    refused = await api.notify('canary', { content });
    expect((await api.finalView(refused)).status).toBe('failed');
    smtp.behave({ at: 'data', recipient: address, reply: `451 4.3.0 <${address}>: try later` });
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

  afterAll(async () => {
    await server?.kill();
    await smtp?.close();
    await folder?.remove();
  });

  test('nothing stands in the data directory in clear, ever', async () => {
    await expectNoCanary();
    expect((await api.view(sent[0]!)).subject).toBe(subject);
  });

  test('a recipient is erased', async () => {
    const answer = await erase();
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
    const mails = smtp.mails.length;
    const views = await Promise.all([api.finalView(heldBack), api.finalView(scheduled)]);
    for (const view of views) expect(view).toMatchObject({ status: 'failed', reason: 'recipientErased' });
    expect(views[0].channels.email!.operations[0]!.error).toMatchObject({ reason: 'recipientErased' });
    expect(smtp.mails).toHaveLength(mails);
  });

  test('repeated, it answers the same; for somebody unknown, that there is nobody', async () => {
    const [first, second] = [await erase(), await erase()];
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
    expect(smtp.mails.at(-1)!.envelope.to).toEqual(['new@example.com']);
    expect((await api.view(sent[0]!)).subject).toBe('[erased]');
  });

  test('what was to come later is erased also for somebody who was put again', async () => {
    await api.putRecipient('phoenix', 'before@example.com');
    const id = await api.notify('phoenix', { deliverAt: new Date(Date.now() + 700).toISOString() });
    await api.request('DELETE', '/v1/recipients/phoenix');
    await api.putRecipient('phoenix', 'after@example.com');
    expect(await api.finalView(id)).toMatchObject({ status: 'failed', reason: 'recipientErased', subject: '[erased]' });
    expect(smtp.mails.flatMap(({ envelope }) => envelope.to)).not.toContain('after@example.com');
  });

  test('nothing is left in the data directory, running, stopped or started again', async () => {
    await expectNoCanary();
    await server.stop();
    await expectNoCanary();
    await start();
    expect((await api.view(sent[0]!)).subject).toBe('[erased]');
    const recipient = await api.request('GET', '/v1/recipients/canary');
    expect(recipient.body).toMatchObject({ channels: { email: { address: 'new@example.com' } } });
    await server.stop();
    await expectNoCanary();
  });
});

describe('in the sandbox', () => {
  let message: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    environment = {};
    await start();
    await putCanary();
    const view = await api.finalView(await api.notify('canary', { content: largeContent }));
    message = view.channels.email!.operations[0]!.message!;
  });

  afterAll(async () => {
    await server?.kill();
    await folder?.remove();
  });

  test('the mail is kept, and not in clear', async () => {
    const mail = await PostalMime.parse((await api.request<string>('GET', message)).body);
    expect(mail.subject).toBe(subject);
    await expectNoCanary();
  });

  test('erased, the mail is gone, at once and for good', async () => {
    expect((await erase()).status).toBe(200);
    expect((await api.request('GET', message)).status).toBe(404);
    await expectNoCanary();
    await server.stop();
    await expectNoCanary();
  });
});
