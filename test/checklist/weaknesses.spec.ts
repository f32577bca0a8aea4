import { expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { eventually, withStore, type Accepted } from '../support/index.js';
import { gate, isTerminalType, mailOf, rewindConsumers, slackOf, useWorld } from './support/index.js';

const world = useWorld();

const putMail = (id: string, more = {}) => world.api.putRecipient(id, mailOf(id), more);

const turnMailBot = (how: 'pause' | 'resume') => world.api.request('POST', `/v1/consumers/email.send-bot:${how}`);

const typesWith = (id: string, type: string) =>
  eventually(async () => {
    const types = await world.typesOf(id);
    return types.includes(type) ? types : undefined;
  });

test('W1. A process killed in the middle of sending leaves nothing that waits for ever', async () => {
  const door = gate();
  world.smtp.behave({ at: 'data', recipient: mailOf('killed'), times: 1, wait: door.opened });
  await putMail('killed');
  const id = await world.api.notify('killed');
  await typesWith(id, 'email.claimed.v1');
  await world.kill();
  door.open();
  await world.start();
  const view = await world.api.finalView(id);
  expect(view).toMatchObject({
    status: 'sent',
    channels: { email: { operations: [{ attempts: 2, inDoubt: false }] } },
  });
  expect(new Set(world.mailsTo('killed').map(({ parsed }) => parsed.messageId)).size).toBe(1);
  expect((await world.typesOf(id)).filter(isTerminalType)).toEqual(['notification.sent.v1']);
});

test('W2. A channel that never answers does not keep the saga: its deadline ends it', async () => {
  await putMail('silent');
  await turnMailBot('pause');
  const id = await world.api.notify('silent');
  await typesWith(id, 'email.send.v1');
  await world.restart(() =>
    withStore(world.dataDir, async (store) => {
      // What the saga does where it waits for long; the deadline itself is a day away.
      const data = { dueAt: Date.now(), purpose: 'notification.delivery-deadline' };
      const event = { id: newId(), type: 'runtime.timer-scheduled.v1', data, metadata: { $correlationId: id } };
      await store.append(`runtime.timer-${id}.delivery-deadline`, 'noStream', [event]);
    }),
  );
  expect(await world.api.finalView(id)).toMatchObject({
    status: 'failed',
    reason: 'deadlineExceeded',
    channels: { email: { status: 'failed', operations: [{ inDoubt: true, error: { reason: 'deadline' } }] } },
  });
  await turnMailBot('resume');
});

test('W3. A re-run writes under the same ids: nothing is enqueued or sent twice, and no saga is left over', async () => {
  await putMail('rerun');
  await turnMailBot('pause');
  const id = await world.api.notify('rerun');
  const before = await typesWith(id, 'email.send.v1');
  await world.restart(() => rewindConsumers(world.dataDir));
  await eventually(async () => (await world.consumer('notification.fan-out-bot')).lag === 0 || undefined);
  expect(await world.typesOf(id)).toEqual(before);
  await turnMailBot('resume');
  expect((await world.api.finalView(id)).status).toBe('sent');
  const types = await world.typesOf(id);
  for (const type of ['email.send.v1', 'notification.delivery-started.v1', 'email.sent.v1', 'notification.sent.v1']) {
    expect(types.filter((one) => one === type)).toHaveLength(1);
  }
  expect(world.mailsTo('rerun')).toHaveLength(1);
});

test('W4. What may pass is tried again, what may not is given up at once', async () => {
  world.smtp.behave({ at: 'recipient', recipient: mailOf('busy'), times: 2, reply: '451 4.3.0 try later' });
  world.smtp.behave({ at: 'recipient', recipient: mailOf('gone'), reply: '550 5.1.1 no such user' });
  await Promise.all([putMail('busy'), putMail('gone')]);
  const views = await Promise.all(['busy', 'gone'].map(async (id) => world.api.finalView(await world.api.notify(id))));
  expect(views.map(({ channels }) => channels.email!.operations[0])).toMatchObject([
    { status: 'succeeded', attempts: 3 },
    { status: 'failed', attempts: 1, error: { reason: 'permanent', code: 550 } },
  ]);
});

test('W5. Slack channels are paced, each on its own, and Retry-After is waited for', async () => {
  const putSlack = (id: string) =>
    world.api.request('PUT', `/v1/recipients/${id}`, { channels: { slack: { channel: slackOf(id) } } });
  await Promise.all(['paced', 'limited'].map(putSlack));
  world.slack.behave({
    method: 'chat.postMessage',
    channel: slackOf('limited'),
    times: 1,
    reply: { status: 429, headers: { 'retry-after': '2' }, body: { ok: false, error: 'ratelimited' } },
  });
  const ids = await Promise.all(['paced', 'paced', 'paced', 'limited'].map((id) => world.api.notify(id)));
  for (const id of ids) expect((await world.api.finalView(id)).status).toBe('sent');
  const timesIn = (id: string) =>
    world.slack.calls.filter((call) => call.arguments['channel'] === slackOf(id)).map(({ at }) => at);
  const [first, ...later] = timesIn('paced');
  expect(later).toHaveLength(2);
  // One a second; the first may have been late itself.
  expect(later[1]! - first!).toBeGreaterThanOrEqual(1_500);
  const [refused, ...repeated] = timesIn('limited');
  expect(repeated).toHaveLength(1);
  expect(repeated[0]! - refused!).toBeGreaterThanOrEqual(2_000);
});

test('W6. A client that repeats its request under one key is answered alike and sends once', async () => {
  await putMail('repeater');
  const body = { recipientId: 'repeater', content: { subject: 'Once', text: 'Hello' } };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      world.api.request<Accepted>('POST', '/v1/notifications', body, { 'idempotency-key': 'order 7' }),
    ),
  );
  const accepted = answers.filter(({ status }) => status === 202);
  for (const { status } of answers) expect([202, 409]).toContain(status);
  const ids = new Set(accepted.map((answer) => answer.body.id));
  expect(ids.size).toBe(1);
  await world.api.finalView([...ids][0]!);
  await world.idle();
  expect(world.mailsTo('repeater')).toHaveLength(1);
});
