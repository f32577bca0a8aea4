import { expect, test } from '@jest/globals';
import { newId } from '#libs/kernel';
import { eventually, withStore } from '../support/index.js';
import { gate, isTerminalType, mailOf, only, slackOf, useWorld } from './support/index.js';

const world = useWorld();

const sent = {
  type: 'email.sent.v1',
  data: {
    attempt: 1,
    receipt: {
      messageId: '<x@localhost>',
      bytes: 1,
      accepted: 1,
      rejected: 0,
      sandbox: false,
      mime: null,
      detail: null,
    },
  },
};
const failed = { type: 'email.failed.v1', data: { attempt: 1, reason: 'permanent', failure: null } };

test.each([
  ['failure, then success', 'failurefirst', [failed, sent]],
  ['success, then failure', 'successfirst', [sent, failed]],
])('19. Both outcomes for one operation count as failed, and it is flagged: %s', async (_, recipientId, outcomes) => {
  // The mail server and Slack both keep silent, so that nothing has an outcome when the process is killed.
  const door = gate();
  world.smtp.behave({ at: 'data', recipient: mailOf(recipientId), wait: door.opened });
  world.slack.behave({ method: 'chat.postMessage', channel: slackOf(recipientId), times: 1, wait: door.opened });
  await world.putOnBoth(recipientId);
  const id = await world.api.notify(recipientId);
  await eventually(async () => {
    const types = await world.typesOf(id);
    return (types.includes('email.claimed.v1') && types.includes('slack.claimed.v1')) || undefined;
  });
  await world.kill();
  await withStore(world.dataDir, async (store) => {
    for await (const { stream, metadata } of store.readAll({ filter: { types: ['email.claimed.v1'] } })) {
      if (metadata.$correlationId !== id) continue;
      const events = outcomes.map((outcome) => ({ id: newId(), ...outcome, metadata: { $correlationId: id } }));
      await store.append(stream, 0n, events);
    }
  });
  door.open();
  await world.start();

  const view = await world.api.finalView(id);
  const [operation] = view.channels.email!.operations;
  expect(view).toMatchObject({
    status: 'partiallySent',
    channels: {
      email: { status: 'failed', operations: [{ status: 'failed', inDoubt: true }] },
      slack: { status: 'sent' },
    },
  });
  const events = await world.api.events(id);
  expect(events.filter(({ stream }) => stream.startsWith('email.event-')).map(({ type }) => type)).toEqual([
    'email.claimed.v1',
    ...outcomes.map(({ type }) => type),
  ]);
  expect(events.filter(({ type }) => isTerminalType(type))).toHaveLength(1);
  expect(only(events, 'notification.partially-sent.v1').data['outcomes']).toContainEqual({
    operationId: operation!.id,
    channel: 'email',
    status: 'failed',
    reason: 'permanent',
    inDoubt: true,
  });
});
