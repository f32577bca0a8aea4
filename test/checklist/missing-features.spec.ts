import { expect, test } from '@jest/globals';
import { postfixReport } from '#libs/testing/delivery-reports';
import {
  Api,
  bouncesOf,
  eventually,
  findInFiles,
  handOver,
  keysIn,
  runServer,
  startServer,
  temporaryFolder,
} from '../support/index.js';
import { gate, mailOf, useWorld } from './support/index.js';

const team = 'team@example.org';
const bounces = { TIDINGS_BOUNCE_ADDRESS: 'bounces@mail.example.org', TIDINGS_BOUNCE_LISTEN: '127.0.0.1:0' };

const world = useWorld({ settings: { TIDINGS_TEAM_EMAIL: team, ...bounces } });

const putMail = (id: string, more = {}) => world.api.putRecipient(id, mailOf(id), more);

test('W7. The state of a notification can be asked for while it is under way', async () => {
  const door = gate();
  world.smtp.behave({ at: 'data', recipient: mailOf('watched'), times: 1, wait: door.opened });
  await putMail('watched');
  const id = await world.api.notify('watched');
  const sending = await eventually(async () => {
    const view = await world.api.view(id);
    return view.channels.email?.operations[0]?.status === 'sending' ? view : undefined;
  });
  expect(sending).toMatchObject({ status: 'sending', completedAt: null });
  expect((await world.api.request('GET', `/v1/notifications/${id}/snapshot`)).status).toBe(404);
  door.open();
  expect(await world.api.finalView(id)).toMatchObject({ status: 'sent', completedAt: expect.any(String) });
});

test('W8. An escalation that fails never escalates itself', async () => {
  world.smtp.behave({ at: 'recipient', recipient: team, times: 1, reply: '550 5.1.1 no such user' });
  const id = await world.api.notify('nobody');
  const types = await eventually(async () => {
    const all = await world.typesOf(id);
    return all.includes('email.failed.v1') ? all : undefined;
  });
  for (const type of ['notification.notify-internal-team.v1', 'email.send.v1']) {
    expect(types.filter((one) => one === type)).toHaveLength(1);
  }
  await world.idle();
  expect(await world.typesOf(id)).toHaveLength(types.length);
  expect(world.smtp.mails.filter(({ envelope }) => envelope.to.includes(team))).toEqual([]);
});

test('W9. What a recipient prefers is kept, and decides by category and severity', async () => {
  const preferences = {
    default: { channels: ['email'], minSeverity: { email: 'warning' } },
    categories: { news: { channels: [] } },
  };
  await putMail('choosy', { preferences });
  await world.restart();
  const statusOf = async (more: Readonly<Record<string, unknown>>) =>
    (await world.api.finalView(await world.api.notify('choosy', more))).status;
  expect(await statusOf({ severity: 'info' })).toBe('optedOut');
  expect(await statusOf({ severity: 'error' })).toBe('sent');
  expect(await statusOf({ severity: 'error', category: 'news' })).toBe('optedOut');
  expect(world.mailsTo('choosy')).toHaveLength(1);
});

test('W10. A notification for later goes out at its time, also over a restart', async () => {
  await putMail('later');
  const deliverAt = new Date(Date.now() + 3_000).toISOString();
  const id = await world.api.notify('later', { deliverAt });
  await eventually(async () => (await world.typesOf(id)).includes('notification.scheduled.v1') || undefined);
  await world.restart();
  const view = await world.api.finalView(id);
  expect(view).toMatchObject({ status: 'sent', deliverAt });
  const claimed = (await world.api.events(id)).find(({ type }) => type === 'email.claimed.v1');
  expect(claimed!.occurredAt >= deliverAt).toBe(true);
  expect(world.mailsTo('later')).toHaveLength(1);
});

test('W11. There are metrics: what each consumer has handled', async () => {
  await putMail('counted');
  const handled = async () => {
    const { status, body } = await world.api.request<string>('GET', '/metrics');
    expect(status).toBe(200);
    const count = /^tidings_consumer_handled_total\{consumer="email\.send-bot"\} (\d+)$/m.exec(body)?.[1];
    return Number(count ?? 0);
  };
  const before = await handled();
  await world.api.finalView(await world.api.notify('counted'));
  expect(await handled()).toBe(before + 1);
});

test('W12. Without a key nobody gets in, with a key nobody but where its scopes say so', async () => {
  const folder = await temporaryFolder();
  const keys = keysIn(folder.path);
  const reader = keys.make('reader', ['notifications:read']);
  await keys.write();
  // Without keys, nobody but this machine gets in.
  const open = await runServer(folder.path, [], { HOST: '0.0.0.0' });
  expect(open.code).toBe(78);
  expect(open.stderr).toContain('HOST must be a loopback address');
  const server = await startServer(folder.path, { HOST: '0.0.0.0', TIDINGS_API_KEYS_FILE: keys.file });
  try {
    const statusOf = async (key: string | undefined, method: string, path: string) =>
      (await new Api(server.url, key).request(method, path)).status;
    expect(await statusOf(undefined, 'GET', '/v1/notifications')).toBe(401);
    expect(await statusOf(`${reader}x`, 'GET', '/v1/notifications')).toBe(401);
    expect(await statusOf(reader, 'GET', '/v1/notifications')).toBe(200);
    expect(await statusOf(reader, 'POST', '/v1/notifications')).toBe(403);
    expect(await statusOf(reader, 'DELETE', '/v1/recipients/ada')).toBe(403);
  } finally {
    await server.kill();
    await folder.remove();
  }
});

test('W14. A mail that comes back after it was taken is known, and its address is not used again', async () => {
  await putMail('gone');
  const id = await world.api.notify('gone');
  expect(await world.api.finalView(id)).toMatchObject({ status: 'sent' });
  const [mail] = world.mailsTo('gone');
  const report = { to: mail!.envelope.from, recipient: mailOf('gone'), messageId: mail!.parsed.messageId! };
  for (let times = 0; times < 2; times += 1) {
    expect(await handOver(bouncesOf(world), report.to, postfixReport(report))).toMatchObject({ code: 250 });
  }
  const types = await eventually(async () => {
    const all = await world.typesOf(id);
    return all.includes('notification.notify-internal-team.v1') ? all : undefined;
  });
  expect(types.filter((type) => type === 'email.bounced.v1')).toHaveLength(1);
  await world.idle();
  const view = await world.api.view(id);
  expect(view).toMatchObject({ status: 'sent', delivery: { bounced: 1 }, channels: { email: { status: 'bounced' } } });
  const isSkipped = async () => (await world.api.finalView(await world.api.notify('gone'))).channels.email!.status;
  await eventually(async () => ((await isSkipped()) === 'addressBounced' ? true : undefined));
  await putMail('gone');
  expect(await isSkipped()).toBe('sent');
});

test('W13. The personal data of a recipient can be destroyed, wherever it stands', async () => {
  const id = 'forgotten';
  await putMail(id, { displayName: 'Canary Name' });
  const content = { subject: 'canary subject', text: 'canary text' };
  const sent = await world.api.notify(id, { content });
  expect(await world.api.finalView(sent)).toMatchObject({ status: 'sent', subject: 'canary subject' });
  expect((await world.api.request('DELETE', `/v1/recipients/${id}`)).status).toBe(200);
  const view = await eventually(async () => {
    const current = await world.api.view(sent);
    return current.subject === '[erased]' ? current : undefined;
  });
  const shown = JSON.stringify([view, await world.api.events(sent)]);
  expect(shown).not.toMatch(/canary/i);
  expect(shown).not.toContain(mailOf(id));
  await world.stop();
  expect(await findInFiles(world.dataDir, [mailOf(id), 'Canary Name', 'canary subject', 'canary text'])).toEqual([]);
});
