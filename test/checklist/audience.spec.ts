import { expect, test } from '@jest/globals';
import type { HandlingView } from '#libs/operator';
import { only, useWorld } from './support/index.js';

const world = useWorld({ useDirectory: true });

/** What becomes of a notification that ends before anything is prepared: its records stop there, nothing goes out. */
async function endsUnsent(recipientId: string) {
  const id = await world.api.notify(recipientId);
  const view = await world.api.finalView(id);
  const events = await world.api.events(id);
  expect(events.map(({ type }) => type)).toEqual([
    'notification.send.v1',
    'notification.requested.v1',
    'notification.failed.v1',
  ]);
  expect(world.mailsTo(recipientId)).toEqual([]);
  expect(world.messagesTo(recipientId)).toEqual([]);
  expect(view).toMatchObject({ status: 'failed', channels: {} });
  return { view, failed: only(events, 'notification.failed.v1') };
}

function step(name: string, ...failures: readonly unknown[]) {
  return { step: name, source: 'directory', failures };
}

test('5. A resolver that answers nothing: could not get the audience, nothing is sent, the request is completed', async () => {
  world.directory.knows('nobody', { audience: { audience: null } });
  const { view } = await endsUnsent('nobody');
  expect(view).toMatchObject({ reason: 'couldNotGetAudience', decision: { steps: [step('audience')] } });
  const path = `/v1/handling?stream=notification.clientOperation-${view.id}&revision=0`;
  await world.idle();
  const { items } = (await world.api.request<HandlingView>('GET', path)).body;
  expect(items.map(({ consumer, state }) => ({ consumer, state }))).toContainEqual({
    consumer: 'notification.send-bot',
    state: 'handled',
  });
  expect((await world.api.request('GET', '/v1/parked')).body).toMatchObject({ items: [] });
});

test.each([
  ['an error', { httpStatus: 400 }, /HTTP 400/],
  ['an error each time it is asked', { httpStatus: 500 }, /HTTP 500/],
  ['null', null, /audience/],
])('6. A resolver that throws: the same, with the text of the error: %s', async (name, audience, text) => {
  const recipientId = `thrower${name.length}`;
  world.directory.knows(recipientId, { audience });
  const { view, failed } = await endsUnsent(recipientId);
  const steps = [step('audience', expect.stringMatching(text))];
  expect(view).toMatchObject({ reason: 'couldNotGetAudience', decision: { steps } });
  expect(failed.data).toMatchObject({ reason: 'couldNotGetAudience', decision: { steps } });
});

const withFailure = { audience: { displayName: 'Ada' }, failures: ['payroll is away'] };

test('7. An audience with failures that stop is not used', async () => {
  world.directory.knows('stopper', { audience: { ...withFailure, ifFailed: 'stop' } });
  const { view } = await endsUnsent('stopper');
  expect(view).toMatchObject({
    reason: 'couldNotUseAudience',
    decision: { steps: [step('audience', 'payroll is away')] },
  });
});

test('7. An audience with failures to be ignored is told, and the failures are on record', async () => {
  world.directory.knows('proceeder', { audience: { ...withFailure, ifFailed: 'proceed' } });
  const id = await world.api.notify('proceeder');
  const steps = [step('audience', 'payroll is away'), step('channels'), step('prepare')];
  expect(await world.api.finalView(id)).toMatchObject({ status: 'sent', reason: null, decision: { steps } });
  expect(only(await world.api.events(id), 'notification.prepared.v1').data).toMatchObject({ decision: { steps } });
  expect(world.mailsTo('proceeder')).toHaveLength(1);
});

test('8. No channels: could not get the channel configs, with what the audience came to', async () => {
  const audience = { ...withFailure, ifFailed: 'proceed' };
  world.directory.knows('channelless', { audience, channels: { channels: [] } });
  const { view, failed } = await endsUnsent('channelless');
  const steps = [step('audience', 'payroll is away'), step('channels')];
  expect(view).toMatchObject({ reason: 'couldNotGetChannelConfigs', decision: { steps } });
  expect(failed.data).toMatchObject({ reason: 'couldNotGetChannelConfigs', decision: { steps } });
});

test('8. A resolver of channels that throws: the same, with the text of the error', async () => {
  world.directory.knows('unreachable', { channels: { httpStatus: 403 } });
  const { view } = await endsUnsent('unreachable');
  const steps = [step('audience'), step('channels', expect.stringContaining('HTTP 403'))];
  expect(view).toMatchObject({ reason: 'couldNotGetChannelConfigs', decision: { steps } });
});

test('9. A channel that the configs name twice: they are refused, even where failures are to be ignored', async () => {
  const slack = ['C1', 'C2'].map((to) => ({ channel: 'slack', to }));
  world.directory.knows('doubled', { channels: { channels: slack, ifFailed: 'proceed' } });
  const { view } = await endsUnsent('doubled');
  expect(view).toMatchObject({
    reason: 'couldNotUseChannelConfigs',
    decision: { steps: [step('audience'), step('channels', 'the channel slack is named more than once')] },
  });
  expect(world.slack.messages.filter(({ channel }) => channel === 'C1' || channel === 'C2')).toEqual([]);
});
