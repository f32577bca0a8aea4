import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BounceAddresses, bounceClient, BounceIntake, type BounceKind } from '#libs/channel/email';
import type { Metadata } from '#libs/kernel';
import { loadAggregate, openClient } from '#libs/runtime';
import { recipient, recipientClient, recipientEvents } from '#libs/recipient';
import { eximReport, mailOf, postfixReport } from '#libs/testing/delivery-reports';
import { EscalationFlow, NotificationFlow } from '#libs/testing/flow';
import { accept } from '../http/accept.js';
import type { PostToOneDto } from '../http/post-notification.dto.js';
import { NotificationQueries } from '../http/queries.js';
import type { NotifyInternalTeam } from '../operations/internal.js';
import type { NotificationView } from '../view/notification-view.js';
import { bounceReactor } from './bounce.reactor.js';

const ada = 'ada@example.com';

let flow: NotificationFlow;
let bounces: BounceAddresses;
let queries: NotificationQueries;
let intake: BounceIntake;
let observed: BounceKind[];
beforeEach(async () => {
  flow = await NotificationFlow.open();
  bounces = new BounceAddresses('bounces@mail.example.org', flow.services.vault);
  Object.assign(flow.services, { bounces, teamEmail: EscalationFlow.team });
  queries = new NotificationQueries({ ...flow.services, client: flow.client });
  observed = [];
  const { vault, contents } = flow.services;
  const client = openClient(flow.store, bounceClient);
  intake = new BounceIntake({ client, vault, contents, bounces, observe: (kind) => observed.push(kind) });
  await flow.putRecipient('user-42', { address: ada });
});
afterEach(async () => {
  queries.stopWaiting();
  await flow.close();
});

async function notify(
  email?: PostToOneDto['content']['email'],
  handlers?: Parameters<NotificationFlow['drive']>[0],
): Promise<NotificationView> {
  const request = { caller: 'anybody', idempotencyKey: undefined, traceparent: undefined, now: flow.now() };
  const content = { subject: 'Invoice 7', text: 'Please pay.', ...(email && { email }) };
  const dto = { recipientId: 'user-42', category: 'billing', content };
  const { id } = await accept({ ...flow.services, client: flow.client }, dto, request);
  await flow.drive(handlers);
  return (await queries.view(id, 0))!;
}

const view = async (id: string) => (await queries.view(id, 0))!;
const operationOf = (of: NotificationView) => of.channels.email!.operations[0]!;

/** What comes back of the last mail. */
async function given(more: { readonly recipient?: string; readonly status?: string } = {}) {
  const { returnPath, messageId } = flow.services.transport.sent.at(-1)!;
  return { to: returnPath!, messageId, recipient: ada, ...more };
}

/** What stands of the recipient. */
async function undeliverable() {
  const { state } = await loadAggregate(openClient(flow.store, recipientClient), recipientEvents, recipient, 'user-42');
  return state.status === 'known' ? state.undeliverable : undefined;
}

const asked = () =>
  flow.dataOf<NotifyInternalTeam>('notification.internalOperation', 'notification.notify-internal-team.v1');

/** Goes through everything again; that changes nothing. */
async function expectSettled(): Promise<void> {
  await flow.drive();
  const before = await flow.stored();
  await flow.drive();
  expect(await flow.stored()).toEqual(before);
}

test('each mail has an address of its own that it comes back to; what people see of it is as before', async () => {
  const first = operationOf(await notify());
  const second = operationOf(await notify());
  const [one, other] = flow.services.transport.sent;
  expect(one).toMatchObject({ from: { address: 'office@example.org' }, messageId: `<${first.id}@example.org>` });
  expect(await bounces.operationIn(one!.returnPath!)).toBe(first.id);
  expect(await bounces.operationIn(other!.returnPath!)).toBe(second.id);
});

test('a mail that comes back is seen in the view; how the notification ended does not change', async () => {
  const before = await notify();
  expect(before).toMatchObject({ status: 'sent', channels: { email: { status: 'sent' } } });
  expect(before).not.toHaveProperty('delivery');
  const answer = await intake.takeMail(postfixReport(await given()));
  expect(answer).toEqual({ operationId: operationOf(before).id, recorded: 1, repeated: 0, ignored: [] });
  await expectSettled();
  const after = await view(before.id);
  expect(after).toMatchObject({
    status: 'sent',
    completedAt: before.completedAt,
    delivery: { bounced: 1, delayed: 0 },
    channels: { email: { status: 'bounced' } },
  });
  expect(operationOf(after)).toMatchObject({
    status: 'bounced',
    late: false,
    bounced: [
      {
        role: 'to',
        address: ada,
        status: '5.1.1',
        diagnostic: expect.stringContaining('User unknown in virtual mailbox table'),
        at: expect.any(String),
      },
    ],
  });
  const [record] = (await flow.stored()).filter(({ type }) => type === 'email.bounced.v1');
  expect((record!.metadata as Metadata).$correlationId).toBe(before.id);
  expect(JSON.stringify(record)).not.toMatch(/ada@|unknown/i);
});

test('repeated, a report adds nothing, whichever way it comes', async () => {
  const { id } = operationOf(await notify());
  const report = postfixReport(await given());
  await intake.takeMail(report);
  await expectSettled();
  const before = await flow.stored();
  expect(await intake.takeMail(report)).toMatchObject({ recorded: 0, repeated: 1 });
  expect(await intake.takeMail(eximReport(await given({ recipient: 'ADA@Example.COM' })), id)).toMatchObject({
    repeated: 1,
  });
  const told = { action: 'failed', addresses: [ada], status: '5.0.0', diagnostic: null } as const;
  expect(await intake.take(id, [told, told])).toMatchObject({ recorded: 0, repeated: 1 });
  await flow.drive();
  expect(await flow.stored()).toEqual(before);
  expect(observed).toEqual(['bounced', 'repeated', 'repeated', 'repeated']);
});

test('at the same time, two reports of the same make one event', async () => {
  await notify();
  const report = postfixReport(await given());
  await Promise.all(Array.from({ length: 5 }, () => intake.takeMail(report)));
  expect(await flow.dataOf('email.event', 'email.bounced.v1')).toHaveLength(1);
});

describe('whom it is about', () => {
  const email = { cc: [{ address: 'carol@example.com' }], bcc: [{ address: 'dave@example.com' }] };
  const reported = async () => operationOf(await view((await notify(email)).id));

  test.each([
    ['carol@example.com', 'cc'],
    ['dave@example.com', 'bcc'],
    ['erin@example.com', 'unknown'],
  ])('%s: %s. Those whom the mail is for have it', async (address, role) => {
    const { id } = await notify(email);
    await intake.takeMail(postfixReport(await given({ recipient: address })));
    await expectSettled();
    expect(operationOf(await view(id))).toMatchObject({ status: 'succeeded', bounced: [{ role, address }] });
    expect(await view(id)).toMatchObject({ channels: { email: { status: 'sent' } }, delivery: { bounced: 1 } });
    expect(await undeliverable()).toBeUndefined();
  });
  test('all of them, one by one', async () => {
    const { id } = await reported();
    for (const recipient of [ada, 'carol@example.com', 'dave@example.com']) {
      await intake.takeMail(postfixReport(await given({ recipient })));
    }
    await expectSettled();
    expect(await flow.dataOf('email.event', 'email.bounced.v1')).toHaveLength(3);
    expect(await asked()).toHaveLength(1);
    expect(id).toBe((await flow.services.bounces!.operationIn((await given()).to))!);
  });
  test('where the mail went to one address, an address that it was forwarded to is about that one', async () => {
    const { id } = await notify();
    await intake.takeMail(postfixReport(await given({ recipient: 'ada@elsewhere.example' })));
    await expectSettled();
    expect(operationOf(await view(id))).toMatchObject({
      status: 'bounced',
      bounced: [{ role: 'to', address: 'ada@elsewhere.example' }],
    });
    expect(await undeliverable()).toBeUndefined();
  });
});

describe('nothing is recorded', () => {
  const unchanged = async (report: () => Promise<unknown>, ...kinds: BounceKind[]) => {
    await notify();
    const before = await flow.stored();
    await report().catch((error: unknown) => expect(error).toHaveProperty('code'));
    await flow.drive();
    expect(await flow.stored()).toEqual(before);
    expect(observed).toEqual(kinds);
  };
  test('of an answer', () =>
    unchanged(
      async () => intake.takeMail(mailOf(`To: ${(await given()).to}`, 'Subject: Away', '', 'Bye')),
      'notAReport',
    ));
  test('of a mail that got there', () =>
    unchanged(async () => intake.takeMail(postfixReport({ ...(await given()), action: 'delivered' })), 'noFailure'));
  test('of a mail that is not one of ours', () =>
    unchanged(
      async () =>
        intake.takeMail(postfixReport({ to: 'postmaster@example.org', recipient: ada, messageId: '<a@b.c>' })),
      'unknownMail',
    ));
  test('of a Message-ID with another domain', () =>
    unchanged(async () => {
      const messageId = (await given()).messageId.replace('example.org', 'evil.example');
      return intake.takeMail(postfixReport({ to: 'postmaster@example.org', recipient: ada, messageId }));
    }, 'unknownMail'));
  test('of a report that cannot be read', () =>
    unchanged(async () => {
      const whole = postfixReport(await given()).toString();
      return intake.takeMail(Buffer.from(whole.replace(/Action: failed/, 'Action: lost')));
    }, 'malformed'));
});

test('a report whose address leads nowhere is known by the Message-ID of the mail that it returns', async () => {
  const { id } = operationOf(await notify());
  const report = eximReport({ ...(await given()), to: 'office@example.org' });
  expect(await intake.takeMail(report)).toMatchObject({ operationId: id, recorded: 1 });
});

test('a mail that is late is told as such, and the team is not told of it', async () => {
  const { id } = await notify();
  await intake.takeMail(postfixReport({ ...(await given({ status: '4.4.1' })), action: 'delayed' }));
  await expectSettled();
  expect(operationOf(await view(id))).toMatchObject({
    status: 'succeeded',
    delayed: [{ address: ada, status: '4.4.1' }],
  });
  expect(await view(id)).toMatchObject({ delivery: { bounced: 0, delayed: 1 } });
  expect(await asked()).toEqual([]);
});

test('a report that comes before the outcome of the mail is refused, and taken when it is repeated', async () => {
  const { transport } = flow.services;
  const send = transport.send.bind(transport);
  const refusals: unknown[] = [];
  transport.send = async (message) => {
    const receipt = await send(message);
    await intake.takeMail(postfixReport(await given())).catch((error: unknown) => refusals.push(error));
    return receipt;
  };
  await notify();
  expect(refusals).toMatchObject([{ code: 'mail-under-way' }]);
  expect(await intake.takeMail(postfixReport(await given()))).toMatchObject({ recorded: 1 });
});

test('of somebody who was erased nothing is recorded', async () => {
  await notify();
  const report = postfixReport(await given());
  await flow.eraseRecipient('user-42');
  expect(await intake.takeMail(report)).toMatchObject({ recorded: 0, ignored: ['recipientErased'] });
});

describe('the address of the recipient', () => {
  test.each(['5.1.0', '5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10'])('is marked: %s', async (status) => {
    await notify();
    await intake.takeMail(postfixReport(await given({ status })));
    await expectSettled();
    expect(await undeliverable()).toEqual({ status, at: expect.any(String) });
    expect(JSON.stringify(await flow.dataOf('recipient.event'))).not.toContain('ada@');
  });
  test.each(['5.2.2', '4.4.7', '5.0.0', '5.7.1', '5.1.8'])('is not marked: %s says something else', async (status) => {
    await notify();
    await intake.takeMail(postfixReport(await given({ status })));
    await expectSettled();
    expect(await undeliverable()).toBeUndefined();
    expect(await asked()).toMatchObject([{ codes: [`email ${status}`] }]);
  });
  test('is not marked where it is another one now, or was put again since', async () => {
    await notify();
    const report = postfixReport(await given());
    await flow.putRecipient('user-42', { address: 'ada@new.example' });
    await intake.takeMail(report);
    await expectSettled();
    expect(await undeliverable()).toBeUndefined();
  });
  test('is good again when it is put, and stays so when the report is handled again', async () => {
    await notify();
    await intake.takeMail(postfixReport(await given()));
    await flow.drive();
    expect(await undeliverable()).toBeDefined();
    await flow.putRecipient('user-42', { address: ada });
    await expectSettled();
    expect(await undeliverable()).toBeUndefined();
    expect((await notify()).status).toBe('sent');
  });
  test('is passed over by the next notification, which says why', async () => {
    await notify();
    await intake.takeMail(postfixReport(await given()));
    await flow.drive();
    const next = await notify();
    expect(next).toMatchObject({
      status: 'failed',
      reason: 'noUsableChannel',
      channels: { email: { status: 'addressBounced', operations: [] }, slack: { status: 'noAddress' } },
    });
    expect(flow.services.transport.sent).toHaveLength(1);
  });
  test('is passed over where there is another channel, and the view says so', async () => {
    await flow.putRecipient('user-42', { address: ada, slack: 'C024BE91L' });
    await notify();
    await intake.takeMail(postfixReport(await given()));
    await flow.drive();
    expect(await notify()).toMatchObject({
      status: 'sent',
      channels: { email: { status: 'addressBounced' }, slack: { status: 'sent' } },
    });
  });
});

describe('the team', () => {
  test('is told with the code of the server', async () => {
    const { id } = await notify();
    await intake.takeMail(postfixReport(await given()));
    await expectSettled();
    expect(await asked()).toEqual([
      { reason: 'bounced', codes: ['email 5.1.1'], failedAt: expect.any(String), notificationRevision: '2' },
    ]);
    expect((await view(id)).status).toBe('sent');
  });
  test('is not told where nobody is to be told, and the address is marked all the same', async () => {
    Object.assign(flow.services, { teamEmail: undefined });
    await notify();
    await intake.takeMail(postfixReport(await given()));
    await flow.drive();
    expect(await asked()).toEqual([]);
    expect(await undeliverable()).toBeDefined();
  });
  test('torn off at any append, the same follows in the end', async () => {
    await notify();
    await intake.takeMail(postfixReport(await given()));
    for (const appends of [0, 1]) {
      flow.tearAfter(appends);
      await expect(flow.drive([bounceReactor])).rejects.toThrow('torn off');
    }
    flow.tearAfter();
    await expectSettled();
    expect(await undeliverable()).toBeDefined();
    expect(await asked()).toHaveLength(1);
    expect(await flow.dataOf('recipient.event', 'recipient.address-undeliverable.v1')).toHaveLength(1);
  });
});
