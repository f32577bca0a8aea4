import { expect, test } from '@jest/globals';
import type { NotificationView } from '#libs/notification';
import type { Behaviour, TakenMail } from '#libs/testing';
import { eventually, useServer } from '../support/index.js';

const server = useServer({ smtp: true, settings: { TIDINGS_SMTP_TIMEOUT: '1' } });
const { api } = server;

/** A recipient for whose mails alone the server behaves like this. */
async function recipientWith(name: string, behaviour: Omit<Behaviour, 'recipient'>): Promise<string> {
  server.smtp.behave({ ...behaviour, recipient: addressOf(name) });
  await api.putRecipient(name, addressOf(name));
  return name;
}

function addressOf(name: string): string {
  return `${name}@example.com`;
}

function operationOf(view: NotificationView) {
  return view.channels.email!.operations[0]!;
}

function mailsTo(name: string): TakenMail[] {
  return server.smtp.mails.filter(({ envelope }) => envelope.to.includes(addressOf(name)));
}

test('451 twice, then 250: sent, with three attempts', async () => {
  await recipientWith('later', { at: 'data', times: 2, reply: '451 4.3.0 try later' });
  const id = await api.notify('later');
  const retrying = await eventually(async () => {
    const view = await api.view(id);
    return view.channels.email?.operations[0]?.status === 'retrying' ? view : undefined;
  });
  expect(retrying.status).toBe('sending');
  expect(operationOf(retrying).error).toMatchObject({ reason: null, stage: 'send', code: 451 });

  const view = await api.finalView(id);
  expect(view.status).toBe('sent');
  expect(operationOf(view)).toMatchObject({ status: 'succeeded', attempts: 3, error: null, inDoubt: false });
  expect(mailsTo('later')).toHaveLength(1);
});

test('550: failed, with what the server said, and nothing of it in the log', async () => {
  await recipientWith('nobody', { at: 'recipient', reply: '550 5.1.1 <nobody@example.com>: no such user here' });
  const id = await api.notify('nobody');
  const view = await api.finalView(id);
  expect(view).toMatchObject({ status: 'failed', reason: 'couldNotSend', channels: { email: { status: 'failed' } } });
  expect(operationOf(view)).toMatchObject({ status: 'failed', attempts: 1, inDoubt: false });
  expect(operationOf(view).error).toEqual({
    reason: 'permanent',
    stage: 'send',
    code: 550,
    message: expect.stringContaining('no such user here'),
  });
  const failed = (await api.events(id)).find(({ type }) => type === 'email.failed.v1');
  expect(failed!.data).toMatchObject({
    failure: { enhancedCode: '5.1.1', conversation: expect.stringContaining('RCPT TO:<nobody@example.com>') },
  });
  expect(server.output).not.toContain('nobody@example.com');
  expect(server.output).not.toContain('no such user');
});

test('connection dropped before the reply: in doubt, repeated as attempt 2 with the same Message-ID', async () => {
  await recipientWith('doubt', { at: 'data', times: 1, drop: 'beforeReply' });
  const id = await api.notify('doubt');
  const view = await api.finalView(id);
  expect(view.status).toBe('sent');
  expect(operationOf(view)).toMatchObject({ status: 'succeeded', attempts: 2 });
  const [first, second] = mailsTo('doubt');
  expect(second!.parsed.messageId).toBe(first!.parsed.messageId);
  expect(second!.raw.equals(first!.raw)).toBe(true);
  expect(server.smtp.countOf(first!.parsed.messageId!)).toBe(2);
  const attempts = (await api.events(id)).filter(({ type }) => /^email\.(claimed|attempt|sent)/.test(type));
  expect(attempts.map(({ type, data }) => [type, data.attempt])).toEqual([
    ['email.claimed.v1', 1],
    ['email.attempt-failed.v1', 1],
    ['email.claimed.v1', 2],
    ['email.sent.v1', 2],
  ]);
  expect(attempts[1]!.data).toMatchObject({ failure: { doubtful: true } });
});

test('connection dropped right after the reply: sent, once', async () => {
  await recipientWith('hasty', { at: 'data', times: 1, drop: 'afterReply' });
  const view = await api.finalView(await api.notify('hasty'));
  expect(operationOf(view)).toMatchObject({ status: 'succeeded', attempts: 1 });
  // The next one finds its connection gone, and needs no further attempt for that.
  const next = await api.finalView(await api.notify('hasty'));
  expect(operationOf(next)).toMatchObject({ status: 'succeeded', attempts: 1 });
  expect(mailsTo('hasty')).toHaveLength(2);
});

test('a reply that does not come in time: in doubt, and repeated', async () => {
  let letGo!: () => void;
  const patience = new Promise<void>((resolve) => (letGo = resolve));
  await recipientWith('slow', { at: 'data', times: 1, wait: patience });
  const view = await api.finalView(await api.notify('slow'));
  letGo();
  expect(operationOf(view)).toMatchObject({ status: 'succeeded', attempts: 2 });
  await eventually(async () => (mailsTo('slow').length === 2 ? true : undefined));
  expect(new Set(mailsTo('slow').map(({ parsed }) => parsed.messageId)).size).toBe(1);
});

test('a mail server that is down: sent once it is up', async () => {
  await api.putRecipient('patient', addressOf('patient'));
  await server.smtp.refuseConnections();
  const id = await api.notify('patient');
  const failed = await eventually(async () =>
    (await api.events(id)).find(({ type }) => type === 'email.attempt-failed.v1'),
  );
  expect(failed.data).toMatchObject({ failure: { stage: 'connect', kind: 'transient', doubtful: false } });
  await server.smtp.acceptConnections();
  const view = await api.finalView(id);
  expect(view.status).toBe('sent');
  expect(operationOf(view).attempts).toBeGreaterThan(1);
});

test('451 until its time is over: failed in time, as exhausted', async () => {
  await recipientWith('late', { at: 'data', reply: '451 4.3.0 try later' });
  const expiresAt = Date.now() + 2_500;
  const view = await api.finalView(await api.notify('late', { expiresAt: new Date(expiresAt).toISOString() }));
  expect(view).toMatchObject({ status: 'failed', reason: 'couldNotSend' });
  expect(operationOf(view)).toMatchObject({ status: 'failed', attempts: 2, error: { reason: 'exhausted', code: 451 } });
  expect(Date.parse(view.completedAt!)).toBeLessThan(expiresAt + 1_000);
  expect(mailsTo('late')).toHaveLength(0);
});

test('a copy refused: sent, and it is told who was not reached', async () => {
  await api.putRecipient('lead', addressOf('lead'));
  server.smtp.behave({ at: 'recipient', recipient: addressOf('gone'), reply: '550 5.1.1 no such user' });
  const email = { cc: [{ address: addressOf('gone') }] };
  const id = await api.notify('lead', { content: { subject: 'Hello', text: 'All', email } });
  expect((await api.finalView(id)).status).toBe('sent');
  const sent = (await api.events(id)).find(({ type }) => type === 'email.sent.v1');
  expect(sent!.data).toMatchObject({
    receipt: { accepted: 1, rejected: 1, detail: expect.stringContaining(addressOf('gone')) },
  });
});

test('the recipient refused for now while a copy is taken: tried again until the recipient has it', async () => {
  await api.putRecipient('busy', addressOf('busy'));
  server.smtp.behave({ at: 'recipient', recipient: addressOf('busy'), times: 1, reply: '450 4.2.1 come back later' });
  const content = { subject: 'Hello', text: 'All', email: { cc: [{ address: addressOf('copy') }] } };
  const id = await api.notify('busy', { content });
  const view = await api.finalView(id);
  expect(view.status).toBe('sent');
  expect(view.channels.email!.operations[0]).toMatchObject({ status: 'succeeded', attempts: 2 });
  expect(mailsTo('busy')).toHaveLength(1);
});

test('the recipient refused for good while a copy is taken: failed', async () => {
  await api.putRecipient('moved', addressOf('moved'));
  server.smtp.behave({ at: 'recipient', recipient: addressOf('moved'), reply: '550 5.1.1 no such user' });
  const content = { subject: 'Hello', text: 'All', email: { cc: [{ address: addressOf('copy') }] } };
  const id = await api.notify('moved', { content });
  const view = await api.finalView(id);
  expect(view).toMatchObject({ status: 'failed', reason: 'couldNotSend' });
  expect(view.channels.email!.operations[0]).toMatchObject({ error: { stage: 'send', code: 550 }, attempts: 1 });
});
