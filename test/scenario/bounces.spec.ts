import { connect } from 'node:net';
import { once } from 'node:events';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { NotificationView } from '#libs/notification';
import type { TakenMail } from '#libs/testing';
import { exchangeReport, gmailReport, mailOf, postfixReport } from '#libs/testing/delivery-reports';
import { bouncesOf, eventually, findInFiles, handOver, useServer } from '../support/index.js';

const ada = 'ada@example.com';
const team = 'team@example.org';
const settings = {
  TIDINGS_BOUNCE_ADDRESS: 'bounces@mail.example.org',
  TIDINGS_BOUNCE_LISTEN: '127.0.0.1:0',
  TIDINGS_TEAM_EMAIL: team,
};

const server = useServer({ smtp: true, settings, perTest: true });
const { api } = server;

beforeEach(() => api.putRecipient('ada', ada));

/** A notification that was sent, and its mail as the mail server has it. */
async function sent(): Promise<{
  view: NotificationView;
  mail: TakenMail;
  report: Parameters<typeof postfixReport>[0];
}> {
  const view = await api.finalView(await api.notify('ada'));
  expect(view.status).toBe('sent');
  const mail = server.smtp.mails.findLast(({ envelope }) => envelope.to.includes(ada))!;
  return { view, mail, report: { to: mail.envelope.from, recipient: ada, messageId: mail.parsed.messageId! } };
}

/** The view once it says so. */
function eventuallyView(id: string, is: (view: NotificationView) => boolean): Promise<NotificationView> {
  return eventually(async () => {
    const view = await api.view(id);
    return is(view) ? view : undefined;
  });
}

const email = async () => {
  const { body } = await api.request<{ channels: { email: object } }>('GET', '/v1/recipients/ada');
  return body.channels.email;
};

const marked = () =>
  eventually(async () => {
    const channel = await email();
    return 'undeliverable' in channel ? channel : undefined;
  });

async function counted(kind: string): Promise<number> {
  const { body } = await api.request<string>('GET', '/metrics');
  return Number(new RegExp(`^tidings_bounces_total\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(body)?.[1]);
}

test('a mail is taken and comes back: the view, the team, the recipient and the next notification know', async () => {
  const { view, mail, report } = await sent();
  expect(mail.envelope.from).toMatch(/^bounces\+[0-9a-v]{40}@mail\.example\.org$/);
  expect(mail.parsed.from).toMatchObject({ address: 'tidings@localhost' });

  expect(await handOver(bouncesOf(server), report.to, postfixReport(report))).toEqual({
    code: 250,
    text: '2.0.0 on record',
  });
  const after = await eventuallyView(
    view.id,
    ({ escalation, delivery }) => escalation !== null && delivery !== undefined,
  );
  expect(after).toMatchObject({
    status: 'sent',
    completedAt: view.completedAt,
    delivery: { bounced: 1, delayed: 0 },
    channels: {
      email: { status: 'bounced', operations: [{ status: 'bounced', bounced: [{ address: ada, status: '5.1.1' }] }] },
    },
  });

  const told = await eventually(async () => server.smtp.mails.find(({ envelope }) => envelope.to.includes(team)));
  expect(told.parsed.subject).toBe('1 notification failed (bounced 1)');
  expect(told.parsed.text).toContain('email 5.1.1');
  expect(told.parsed.text).toContain(view.id);
  expect(told.parsed.text).not.toContain(ada);

  expect(await marked()).toEqual({ address: ada, undeliverable: { status: '5.1.1', at: expect.any(String) } });
  expect(await api.finalView(await api.notify('ada'))).toMatchObject({
    status: 'failed',
    reason: 'noUsableChannel',
    channels: { email: { status: 'addressBounced' } },
  });

  await api.putRecipient('ada', ada);
  expect(await email()).toEqual({ address: ada });
  expect((await sent()).view.status).toBe('sent');

  await server.stop();
  expect(await findInFiles(server.dataDir, [ada, 'User unknown in virtual mailbox table'])).toEqual([]);
});

test('that a mail to the team comes back is on record, and nobody is told', async () => {
  const id = await api.notify('nobody');
  const [told] = await server.smtp.received(1);
  const { escalation } = await eventuallyView(id, (view) => view.escalation !== null);
  const report = { to: told!.envelope.from, recipient: team, messageId: told!.parsed.messageId! };
  // Until the mail has its outcome the server is asked to come back.
  await eventually(async () =>
    (await handOver(bouncesOf(server), report.to, gmailReport(report))).code === 250 ? true : undefined,
  );
  const types = await eventually(async () => {
    const all = (await api.events(id)).map(({ type }) => type);
    return all.includes('email.bounced.v1') ? all : undefined;
  });
  expect(types.filter((type) => type === 'notification.notify-internal-team.v1')).toHaveLength(1);
  expect(await api.view(id)).toMatchObject({ escalation });
  const { report: another } = await sent();
  await handOver(bouncesOf(server), another.to, postfixReport(another));
  await marked();
  const { body } = await api.request<{ items: { stream: string }[] }>(
    'GET',
    '/v1/events?type=notification.notify-internal-team.v1',
  );
  expect(body.items).toHaveLength(2);
});

test('repeated, a report adds nothing, over SMTP and over HTTP', async () => {
  const { view, report } = await sent();
  const mail = exchangeReport(report);
  await handOver(bouncesOf(server), report.to, mail);
  await marked();
  const before = await api.events(view.id);
  expect((await handOver(bouncesOf(server), report.to.toUpperCase(), mail)).code).toBe(250);
  const posted = await api.request('POST', '/v1/bounces', mail, { 'content-type': 'message/rfc822' });
  expect(posted).toMatchObject({ status: 200, body: { recorded: 0, repeated: 1, ignored: [] } });
  const { id: operationId } = view.channels.email!.operations[0]!;
  const notice = { operationId, recipient: ada, action: 'failed', status: '5.1.1', diagnostic: 'smtp; 550 no' };
  expect((await api.request('POST', '/v1/bounces', notice)).body).toMatchObject({ recorded: 0, repeated: 1 });
  expect((await api.events(view.id)).filter(({ type }) => type === 'email.bounced.v1')).toHaveLength(1);
  expect(before.filter(({ type }) => type === 'email.bounced.v1')).toHaveLength(1);
  expect(await counted('bounced')).toBe(1);
  expect(await counted('repeated')).toBe(3);
});

test('a provider tells of it by the Message-ID of the mail; the list of mails finds it', async () => {
  const { view, mail } = await sent();
  const notice = { messageId: mail.parsed.messageId, recipient: ada, action: 'failed', status: '5.2.2' };
  expect(await api.request('POST', '/v1/bounces', notice)).toMatchObject({ status: 200, body: { recorded: 1 } });
  await eventuallyView(view.id, ({ delivery }) => delivery !== undefined);
  const [item] = await eventually(async () => {
    const { body } = await api.request<{ items: object[] }>('GET', '/v1/emails?status=bounced');
    return body.items.length > 0 ? body.items : undefined;
  });
  expect(item).toMatchObject({ notificationId: view.id, to: ada, bounced: [{ status: '5.2.2' }] });
  // A full mailbox is no reason to give an address up.
  expect(await email()).toEqual({ address: ada });
});

describe('the listener', () => {
  test('refuses an address that it has not given out, also one with a token that is forged', async () => {
    const { report } = await sent();
    const forged = report.to.replace(/\+(.)/, (_, digit: string) => `+${digit === '0' ? '1' : '0'}`);
    for (const to of [forged, 'bounces@mail.example.org', 'ada@example.com']) {
      expect(await handOver(bouncesOf(server), to, postfixReport(report))).toEqual({
        code: 550,
        text: '5.1.1 no such address',
      });
    }
    expect(await counted('refused')).toBe(3);
    expect(await email()).toEqual({ address: ada });
  });

  test('takes an answer of a machine and makes nothing of it', async () => {
    const { view, report } = await sent();
    const answer = mailOf(`To: ${report.to}`, 'Subject: Out of office', '', 'I am away.');
    expect((await handOver(bouncesOf(server), report.to, answer)).code).toBe(250);
    expect(await counted('notAReport')).toBe(1);
    expect(server.output).toContain('"kind":"notAReport"');
    expect(server.output).not.toContain(ada);
    expect((await api.events(view.id)).some(({ type }) => type === 'email.bounced.v1')).toBe(false);
  });

  test('refuses a report that cannot be read, for good', async () => {
    const { report } = await sent();
    const broken = Buffer.from(postfixReport(report).toString().replace('Action: failed', 'Action: lost'));
    expect((await handOver(bouncesOf(server), report.to, broken)).code).toBe(554);
    expect(await counted('malformed')).toBe(1);
  });

  test('takes a report with all of a large mail behind it, and refuses what is larger than any', async () => {
    const { view, report } = await sent();
    const large = Buffer.concat([postfixReport(report), Buffer.alloc(3_000_000, 'It is due.\r\n')]);
    expect((await handOver(bouncesOf(server), report.to, large)).code).toBe(250);
    await eventuallyView(view.id, ({ delivery }) => delivery !== undefined);
    const { hostname, port } = new URL(bouncesOf(server));
    const socket = connect(Number(port), hostname);
    const replies = lines(socket);
    await replies.next();
    for (const [command, reply] of [
      ['EHLO mx.example.net', /^250/],
      [`MAIL FROM:<> SIZE=67108865`, /^552/],
      ['MAIL FROM:<>', /^250/],
      [`RCPT TO:<${report.to}>`, /^250/],
      [`RCPT TO:<${report.to}>`, /^452/],
      ['AUTH PLAIN AGFkYQBhZGE=', /^5/],
      ['STARTTLS', /^5/],
      ['QUIT', /^221/],
    ] as const) {
      socket.write(`${command}\r\n`);
      expect((await replies.next()).value).toMatch(reply);
    }
    await once(socket, 'close');
  });
});

/** The last line of each reply. */
async function* lines(socket: ReturnType<typeof connect>): AsyncGenerator<string, undefined> {
  let rest = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    rest += chunk.toString();
    for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (line[3] === ' ') yield line;
    }
  }
  return undefined;
}
