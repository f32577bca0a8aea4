import { expect, test } from '@jest/globals';
import PostalMime from 'postal-mime';
import { useServer } from '../support/index.js';

const server = useServer();
const { api } = server;

test('without a mail server the start says that nothing is sent, and where the API and the data are', () => {
  expect(server.output).toMatch(/^ {2}mail +sandbox: nothing is sent/m);
  expect(server.output).toMatch(/^ {2}API +http:\/\/127\.0\.0\.1:\d+$/m);
  expect(server.output).toContain(server.dataDir);
});

test('the view says so, and leads to the whole mail', async () => {
  await api.putRecipient('ada', 'ada@example.com', { displayName: 'Ada' });
  const file = Buffer.from('%PDF-1.7 …');
  const content = {
    subject: 'Ünder way',
    text: 'It is on its way.',
    html: '<b>It is on its way.</b>',
    attachments: [{ fileName: 'i.pdf', mediaType: 'application/pdf', content: file.toString('base64') }],
  };
  const view = await api.finalView(await api.notify('ada', { content }));
  expect(view).toMatchObject({ status: 'sent', sandbox: true });
  const [operation] = view.channels.email!.operations;
  expect(operation!.message).toBe(`/v1/emails/${operation!.id}/message`);

  const response = await fetch(api.url + operation!.message!);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('message/rfc822');
  const mail = await PostalMime.parse(await response.arrayBuffer());
  expect(mail).toMatchObject({
    messageId: `<${operation!.id}@localhost>`,
    to: [{ name: 'Ada', address: 'ada@example.com' }],
    subject: content.subject,
    attachments: [{ filename: 'i.pdf', mimeType: 'application/pdf' }],
  });
  expect(mail.text?.trimEnd()).toBe(content.text);
  expect(mail.html?.trimEnd()).toBe(content.html);
  expect(Buffer.from(mail.attachments[0]!.content as ArrayBuffer)).toEqual(file);
});

test('there is no mail of what was not sent', async () => {
  const unknown = await api.request('GET', '/v1/emails/0197a000-0000-7000-8000-000000000000/message');
  expect(unknown.status).toBe(404);
  expect(unknown.body).toMatchObject({ type: '/problems/not-found' });
});
