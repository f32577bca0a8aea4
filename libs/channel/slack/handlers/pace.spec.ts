import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Content } from '#libs/content';
import { keyOf, newId } from '#libs/kernel';
import { recipientOwner } from '#libs/recipient';
import { defineClient, defineTopology, openClient, Runtime, stream } from '#libs/runtime';
import { eventually } from '#libs/testing';
import { NotificationFlow } from '#libs/testing/flow';
import { slackEvents } from '../event/slack-events.js';
import { slackOperations } from '../operations/slack-operations.js';
import { SlackFailure, type SlackFile, type SlackMessage } from '../transport/index.js';
import { sendSlackBot } from './send-slack.bot.js';

const owner = recipientOwner('user-42');
const interval = 50;
const testClient = defineClient({ name: 'test.client', looksUp: [slackEvents], writes: [slackOperations] });
const topology = defineTopology([
  stream(slackOperations, { producers: [testClient], consumers: [sendSlackBot] }),
  stream(slackEvents, { producers: [sendSlackBot], consumers: [sendSlackBot, testClient] }),
]);

let flow: NotificationFlow;
let runtime: Runtime<never> | undefined;
/** When what was posted. */
let posted: { readonly channel: string; readonly what: string; readonly at: number }[];
/** What the first post of a text throws. */
let failures: Map<string, SlackFailure>;
let failedAt: number;

beforeEach(async () => {
  flow = await NotificationFlow.open();
  posted = [];
  failures = new Map();
  const post = (given: SlackMessage | SlackFile) => {
    const what = 'text' in given ? given.text : given.fileName;
    const failure = failures.get(what);
    if (failure !== undefined) {
      failures.delete(what);
      failedAt = Date.now();
      return Promise.reject(failure);
    }
    posted.push({ channel: given.channel, what, at: Date.now() });
    return Promise.resolve({ response: '{"ok":true}' });
  };
  Object.assign(flow.services.slackTransport, { postMessage: post, uploadFile: post });
});
afterEach(async () => {
  await runtime?.drain();
  await flow.close();
});

async function start(): Promise<void> {
  const services = { ...flow.services, slackInterval: interval, slackRetryDelays: [1] };
  const log = { failed: () => {}, stopped: () => {} };
  const started = new Runtime({ store: flow.store, topology, services, roles: new Set(['bot'] as const), log });
  runtime = started;
  await started.start();
}

/** A message of a notification, and a file after it where there is one. Answers the operations' ids. */
async function notify(channel: string, text: string, fileName?: string): Promise<string[]> {
  const { vault, contents, blobs } = flow.services;
  const id = newId();
  const bytes = Buffer.from('x');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const blob = await blobs.put(owner, `${id}-attachment-0`, bytes);
  const attachments = fileName === undefined ? [] : [{ fileName, mediaType: 'text/plain', blob, sha256 }];
  const content: Content = { subject: 'x', text: 'x', slack: { text }, attachments };
  const operation = {
    channel: await vault.sealFor(owner, 'address', channel),
    content: await contents.seal(owner, `${id}-content`, content),
    notAfter: new Date(Date.now() + 60_000).toISOString(),
    delivery: 'atLeastOnce' as const,
  };
  const client = openClient(flow.store, testClient);
  const append = (key: string, message: Parameters<typeof client.append>[3][number]) =>
    client.append(slackOperations, key, 'noStream', [message], { correlationId: id });
  const ids = [newId(), newId()] as const;
  await append(ids[0], { type: 'slack.send-message.v1', data: operation });
  if (fileName === undefined) return [ids[0]];
  await append(ids[1], { type: 'slack.upload-file.v1', data: { ...operation, attachment: 0 } });
  return [...ids];
}

const whatIn = (channel: string) => posted.filter((one) => one.channel === channel).map(({ what }) => what);

/** Claims of the operations, in the order they were made. */
async function claims(): Promise<string[]> {
  const records = await flow.stored();
  return records.filter(({ type }) => type === 'slack.claimed.v1').map((record) => keyOf(record.stream));
}

test('a channel gets one at a time, in order, and no other channel waits for it', async () => {
  const hot = Array.from({ length: 40 }, (_, n) => `hot ${n}`);
  for (const text of hot) await notify('CHOT', text);
  for (let n = 0; n < 5; n += 1) await notify(`C${n}`, 'other');
  await start();
  await eventually(() => posted.length === 45);
  expect(whatIn('CHOT').toSorted()).toEqual(hot.toSorted());
  const times = posted.filter(({ channel }) => channel === 'CHOT').map(({ at }) => at);
  expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(39 * interval - interval / 2);
  const lastOther = posted.findLastIndex(({ channel }) => channel !== 'CHOT');
  expect(posted.slice(lastOther).filter(({ channel }) => channel === 'CHOT').length).toBeGreaterThan(20);
  // Waiting is no attempt.
  expect(await claims()).toHaveLength(45);
});

test('the files of a notification come after its message, also when that has to be tried again', async () => {
  failures.set('message 1', new SlackFailure('busy', { stage: 'send', kind: 'transient', retryAfter: 3 * interval }));
  await notify('C1', 'message 1', 'file 1');
  await notify('C1', 'message 2', 'file 2');
  await start();
  await eventually(() => posted.length === 4);
  for (const n of [1, 2]) {
    const own = whatIn('C1').filter((what) => what.endsWith(String(n)));
    expect(own).toEqual([`message ${n}`, `file ${n}`]);
  }
});

test('Retry-After stops the channel that was told so, and no other', async () => {
  const retryAfter = 20 * interval;
  failures.set('told so', new SlackFailure('busy', { stage: 'send', kind: 'transient', retryAfter }));
  await notify('C1', 'told so');
  await notify('C1', 'waits');
  await notify('C2', 'goes on');
  await start();
  await eventually(() => posted.length === 3);
  expect(posted.map(({ what }) => what)).toEqual(['goes on', 'told so', 'waits']);
  expect(posted[1]!.at - failedAt).toBeGreaterThanOrEqual(retryAfter - interval);
});

test('a stop does not wait for turns, and nothing is lost by it', async () => {
  for (let n = 0; n < 20; n += 1) await notify('C1', `message ${n}`, `file ${n}`);
  await start();
  await eventually(() => posted.length >= 2);
  await runtime!.drain();
  const { length } = posted;
  expect(length).toBeLessThan(40);
  await start();
  await eventually(() => posted.length === 40);
  expect(new Set(whatIn('C1')).size).toBe(40);
  for (let n = 0; n < 20; n += 1) {
    expect(whatIn('C1').indexOf(`message ${n}`)).toBeLessThan(whatIn('C1').indexOf(`file ${n}`));
  }
  expect(await claims()).toHaveLength(40);
});
