import { expect, test } from '@jest/globals';
import { eventually } from '../support/index.js';
import { gate, isTerminalType, mailOf, only, rewindConsumers, slackOf, useWorld } from './support/index.js';

const world = useWorld();

const refuseMailTo = (id: string) =>
  world.smtp.behave({ at: 'recipient', recipient: mailOf(id), reply: '550 5.1.1 no such user' });

const refuseMessagesTo = (id: string) =>
  world.slack.behave({
    method: 'chat.postMessage',
    channel: slackOf(id),
    reply: { body: { ok: false, error: 'is_archived' } },
  });

/** Lets no mail to the recipient through until the gate is opened. */
function holdMailTo(id: string) {
  const door = gate();
  world.smtp.behave({ at: 'data', recipient: mailOf(id), times: 1, wait: door.opened });
  return door;
}

async function notify(id: string, more = {}) {
  await world.putOnBoth(id);
  return world.api.notify(id, more);
}

async function terminalTypes(id: string): Promise<readonly string[]> {
  return (await world.typesOf(id)).filter(isTerminalType);
}

/** The types of a notification's records, once this one is among them. */
function typesWith(id: string, type: string): Promise<readonly string[]> {
  return eventually(async () => {
    const types = await world.typesOf(id);
    return types.includes(type) ? types : undefined;
  });
}

test('15. There is one saga, and it names every operation with the events that mean success and failure', async () => {
  const attachment = { fileName: 'a.txt', mediaType: 'text/plain', content: 'YQ==' };
  const id = await notify('started', { content: { subject: 'a', text: 'b', attachments: [attachment] } });
  const { channels } = await world.api.finalView(id);
  const events = await world.api.events(id);
  const saga = only(events, 'notification.delivery-started.v1');
  expect(saga.stream).toBe(`notification.saga-${id}`);
  const operations = Object.entries(channels).flatMap(([channel, view]) =>
    view.operations.map((operation) => ({ operationId: operation.id, channel })),
  );
  expect(operations.map(({ channel }) => channel)).toEqual(['email', 'slack', 'slack']);
  expect(saga.data['operations']).toEqual(
    operations.map(({ operationId, channel }) => ({
      operationId,
      channel,
      succeededType: `${channel}.sent.v1`,
      failedType: `${channel}.failed.v1`,
    })),
  );
  const firstOperation = events.findIndex(({ stream }) => /^\w+\.operation-/.test(stream));
  expect(events.indexOf(saga)).toBeLessThan(firstOperation);
});

test('16. While an operation is pending the saga writes nothing and stays live, and starves no other', async () => {
  const door = holdMailTo('slow');
  const slow = await notify('slow');
  await typesWith(slow, 'slack.sent.v1');
  const others = await Promise.all(['p', 'q', 'r', 's'].map((name) => notify(`other${name}`)));
  for (const other of others) expect((await world.api.finalView(other)).status).toBe('sent');
  expect(await terminalTypes(slow)).toEqual([]);
  expect((await world.typesOf(slow)).filter((type) => type === 'notification.delivery-started.v1')).toHaveLength(1);
  expect(await world.api.view(slow)).toMatchObject({
    status: 'sending',
    completedAt: null,
    channels: { email: { status: 'pending' }, slack: { status: 'sent' } },
  });
  door.open();
  expect((await world.api.finalView(slow)).status).toBe('sent');
});

test('17. All operations succeed: sent on all', async () => {
  const id = await notify('lucky');
  expect(await world.api.finalView(id)).toMatchObject({ status: 'sent', reason: null });
  expect(only(await world.api.events(id), 'notification.sent.v1').data['outcomes']).toMatchObject([
    { channel: 'email', status: 'succeeded', reason: null, inDoubt: false },
    { channel: 'slack', status: 'succeeded', reason: null, inDoubt: false },
  ]);
  expect([world.mailsTo('lucky').length, world.messagesTo('lucky').length]).toEqual([1, 1]);
});

test('17. The mail goes out and the Slack message fails: sent on some, with the outcome of each operation', async () => {
  refuseMessagesTo('mixed');
  const id = await notify('mixed');
  const { channels, ...view } = await world.api.finalView(id);
  expect(view).toMatchObject({ status: 'partiallySent' });
  expect(only(await world.api.events(id), 'notification.partially-sent.v1').data).toEqual({
    outcomes: [
      {
        operationId: channels.email!.operations[0]!.id,
        channel: 'email',
        status: 'succeeded',
        reason: null,
        inDoubt: false,
      },
      {
        operationId: channels.slack!.operations[0]!.id,
        channel: 'slack',
        status: 'failed',
        reason: 'permanent',
        inDoubt: false,
      },
    ],
  });
  expect(channels.slack!.operations).toMatchObject([{ status: 'failed', error: { code: 'is_archived' } }]);
});

test('18. All operations fail: could not send on any', async () => {
  refuseMailTo('doomed');
  refuseMessagesTo('doomed');
  const id = await notify('doomed');
  expect(await world.api.finalView(id)).toMatchObject({
    status: 'failed',
    reason: 'couldNotSend',
    channels: { email: { status: 'failed' }, slack: { status: 'failed' } },
  });
  expect(await terminalTypes(id)).toEqual(['notification.failed.v1']);
});

test('20. A finished saga that is run again writes no second outcome', async () => {
  refuseMessagesTo('again');
  const ids = [await notify('finished'), await notify('again')];
  const before = [];
  for (const id of ids) {
    await world.api.finalView(id);
    before.push(await world.api.events(id));
  }
  await world.idle();
  await world.restart(() => rewindConsumers(world.dataDir));
  await world.idle();
  expect((await world.consumer('notification.delivery-saga-handler')).handled).toBeGreaterThan(2);
  for (const [index, id] of ids.entries()) {
    expect(await world.api.events(id)).toEqual(before[index]);
    expect(await terminalTypes(id)).toHaveLength(1);
  }
  expect([world.mailsTo('finished').length, world.messagesTo('finished').length]).toEqual([1, 1]);
});

test('21. The tags of an outcome are those of its saga and its channel events, each once', async () => {
  const tags = { invoice: '7', team: 'billing' };
  const id = await notify('tagged', { tags });
  expect((await world.api.finalView(id)).tags).toEqual(tags);
  const events = await world.api.events(id);
  const requested = only(events, 'notification.requested.v1');
  expect(requested.data).toMatchObject({ tags });
  // The saga, the channel events and the outcome lead to one and the same notification; none has tags of its own.
  for (const { metadata } of events) expect(metadata).toMatchObject({ $correlationId: id });
  expect(requested.stream).toBe(`notification.event-${id}`);
  expect(events.filter(({ data }) => 'tags' in data).map(({ type }) => type)).toEqual([
    'notification.send.v1',
    'notification.requested.v1',
  ]);
});
