import { expect, test } from '@jest/globals';
import PostalMime from 'postal-mime';
import type { NotificationView } from '#libs/notification';
import { eventually, useServer } from '../support/index.js';

const team = 'team@example.org';

const settings = { TIDINGS_TEAM_EMAIL: `The team <${team}>` };
const server = useServer({ smtp: true, settings, perTest: true, start: false });
const { api } = server;

/** The view once it says that the team is told. */
function escalated(id: string): Promise<NotificationView> {
  return eventually(async () => {
    const view = await api.view(id);
    return view.escalation === null ? undefined : view;
  });
}

/** The types of the records of a notification, once the last of them is there. */
function typesUpTo(id: string, last: string): Promise<readonly string[]> {
  return eventually(async () => {
    const types = (await api.events(id)).map(({ type }) => type);
    return types.includes(last) ? types : undefined;
  });
}

test('a notification that fails: the team gets a mail about it, and its events show all of it', async () => {
  await server.start();
  await api.putRecipient('ada', 'ada@example.com');
  expect((await api.finalView(await api.notify('ada'))).escalation).toBeNull();
  const id = await api.notify('nobody', { content: { subject: 'canary-subject', text: 'canary-text' } });
  const view = await escalated(id);
  expect(view).toMatchObject({ status: 'failed', reason: 'unknownRecipient' });

  const types = await typesUpTo(id, 'email.sent.v1');
  expect([...types].sort()).toEqual([
    'email.claimed.v1',
    'email.send.v1',
    'email.sent.v1',
    'notification.failed.v1',
    'notification.internal-team-notified.v1',
    'notification.notify-internal-team.v1',
    'notification.requested.v1',
    'notification.send.v1',
  ]);
  const told = (await api.events(id)).find(({ type }) => type === 'notification.internal-team-notified.v1')!;
  expect(told.data).toEqual(view.escalation);

  const mails = server.smtp.mails.filter(({ envelope }) => envelope.to.includes(team));
  expect(mails).toHaveLength(1);
  const { parsed, raw } = mails[0]!;
  expect(parsed).toMatchObject({
    subject: '1 notification failed (unknownRecipient 1)',
    to: [{ name: 'The team', address: team }],
    messageId: `<${view.escalation!.operationId}@localhost>`,
  });
  expect(parsed.text).toContain(`GET /v1/notifications/${id}/events`);
  expect(parsed.html).toContain(`<li>${id}</li>`);
  expect(raw.toString()).not.toMatch(/canary|nobody|ada/);
});

test('what the channel said is counted', async () => {
  await server.start();
  server.smtp.behave({ at: 'recipient', recipient: 'gone@example.com', reply: '550 5.1.1 no such user' });
  await api.putRecipient('gone', 'gone@example.com');
  await escalated(await api.notify('gone'));
  const [mail] = await server.smtp.received(1);
  expect(mail!.parsed.subject).toBe('1 notification failed (couldNotSend 1)');
  expect(mail!.parsed.text).toContain('email 550 1');
});

test('a mail to the team that cannot be sent makes no other', async () => {
  await server.start();
  server.smtp.behave({ at: 'recipient', recipient: team, reply: '550 5.1.1 no such user' });
  const id = await api.notify('nobody');
  const types = await typesUpTo(id, 'email.failed.v1');
  expect(types.filter((type) => type === 'notification.notify-internal-team.v1')).toHaveLength(1);
  expect(types.filter((type) => type === 'email.send.v1')).toHaveLength(1);
  const { escalation } = await escalated(id);
  // Whatever comes after it in the log has been seen by then.
  await api.putRecipient('ada', 'ada@example.com');
  expect((await api.finalView(await api.notify('ada'))).status).toBe('sent');
  expect((await api.view(id)).escalation).toEqual(escalation);
  expect(server.smtp.mails.map(({ envelope }) => envelope.to)).toEqual([['ada@example.com']]);
});

test.each<['stop' | 'kill']>([['stop'], ['kill']])(
  'a restart (%s) in the middle loses and doubles nothing',
  async (how) => {
    await server.start();
    const ids = await Promise.all(Array.from({ length: 5 }, () => api.notify('nobody')));
    await server[how]();
    await server.start();
    const views = await Promise.all(ids.map(escalated));
    expect(new Set(views.map(({ escalation }) => escalation!.operationId)).size).toBe(1);
    await Promise.all(ids.map((id) => typesUpTo(id, 'email.sent.v1')));
    expect(server.smtp.mails.map(({ parsed }) => parsed.subject)).toEqual([
      '5 notifications failed (unknownRecipient 5)',
    ]);
    for (const id of ids) expect(server.smtp.mails[0]!.parsed.text).toContain(id);
  },
);

test('in the sandbox the mail can be read through the API', async () => {
  await server.start(settings);
  const id = await api.notify('nobody');
  const { escalation } = await escalated(id);
  await typesUpTo(id, 'email.sent.v1');
  const response = await fetch(`${api.url}/v1/emails/${escalation!.operationId}/message`);
  const mail = await PostalMime.parse(await response.arrayBuffer());
  expect(mail.subject).toBe('1 notification failed (unknownRecipient 1)');
});

test('with nobody to tell nothing more becomes of it', async () => {
  await server.start({ ...server.settings, TIDINGS_TEAM_EMAIL: '' });
  expect(server.output.match(/nobody is told of notifications that fail.*TIDINGS_TEAM_EMAIL/g)).toHaveLength(1);
  const id = await api.notify('nobody');
  expect((await api.finalView(id)).escalation).toBeNull();
  await api.putRecipient('ada', 'ada@example.com');
  await api.finalView(await api.notify('ada'));
  expect((await api.events(id)).map(({ type }) => type)).toEqual([
    'notification.send.v1',
    'notification.requested.v1',
    'notification.failed.v1',
  ]);
});
