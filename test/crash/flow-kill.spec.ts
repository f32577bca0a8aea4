import { expect, test } from '@jest/globals';
import { eventually } from '../support/index.js';
import { aroundAppend, Lane, runTrials, type Outcome, type Trial } from './support/trial.js';

/** What is appended for one notification, in order: the first event of each append. */
const steps = [
  'idempotency.key-reserved.v1',
  'notification.send.v1',
  'notification.requested.v1',
  'notification.delivery-started.v1',
  'email.send.v1',
  'email.claimed.v1',
  'email.sent.v1',
  'notification.sent.v1',
  'notification.snapshot.v1',
  'notification.view.v1',
];

const deliverIn = 1_500;
const refusal = '451 4.3.0 try again later';

const trials: readonly Trial[] = [
  ...steps.flatMap((type) => aroundAppend(type)),
  { name: 'after the answer 202', point: { moment: 'hold', type: 'notification.requested.v1' }, kill: 'answered' },
  { name: 'before the reply of SMTP', point: { moment: 'hold', type: 'email.sent.v1' }, kill: 'beforeReply' },
  { name: 'after the reply of SMTP', point: { moment: 'hold', type: 'email.sent.v1' }, kill: 'afterReply' },
  // Delivered at its time.
  ...aroundAppend('notification.scheduled.v1', { deliverIn }),
  ...aroundAppend('runtime.timer-scheduled.v1', { deliverIn }),
  ...aroundAppend('runtime.timers-noted.v1', { deliverIn }),
  ...aroundAppend('runtime.timer-fired.v1', { deliverIn }),
  ...aroundAppend('notification.prepared.v1', { deliverIn }),
  {
    name: 'long before its time',
    point: { moment: 'after', type: 'runtime.timer-scheduled.v1' },
    deliverIn: 6_000,
  },
  // Refused for a while, then taken.
  ...aroundAppend('email.attempt-failed.v1', { refusal }),
  ...aroundAppend('runtime.retry-scheduled.v1', { refusal }),
  // The second claim is the third append: the bot first tries as if there had been none.
  ...aroundAppend('email.claimed.v1', { refusal }, 3),
  ...aroundAppend('runtime.retry-ended.v1', { refusal }),
];

/** As without a kill. */
const usual: Omit<Outcome, 'name'> = {
  status: 'sent',
  early: false,
  ids: 1,
  mails: 1,
  messageIds: 1,
  claims: [false],
  attempts: 1,
};
/** The attempt was claimed and left no outcome: it is repeated, and can be seen to be. */
const inDoubt = { claims: [false, true], attempts: 2 };
const refused = { claims: [false, false], attempts: 2 };

const exceptions: Readonly<Record<string, Partial<Outcome>>> = {
  'after email.claimed.v1': inDoubt,
  'before email.sent.v1': { ...inDoubt, mails: 2 },
  'before the reply of SMTP': { ...inDoubt, mails: 2 },
  'after the reply of SMTP': { ...inDoubt, mails: 2 },
  'before email.attempt-failed.v1': inDoubt,
  'after email.attempt-failed.v1': refused,
  'before runtime.retry-scheduled.v1': refused,
  'after runtime.retry-scheduled.v1': refused,
  'before email.claimed.v1 (3)': refused,
  'after email.claimed.v1 (3)': { claims: [false, false, true], attempts: 3 },
  'before runtime.retry-ended.v1': refused,
  'after runtime.retry-ended.v1': refused,
};

test('the steps are all that is appended for a notification', async () => {
  const lane = await Lane.open();
  try {
    const { api, appends } = lane.server;
    await lane.server.arm({ moment: 'hold', type: 'no such event' });
    await api.finalView(await api.notify('ada', {}, { 'idempotency-key': 'never killed' }));
    await eventually(async () => appends.includes('notification.view.v1') || undefined);
    expect(appends.filter((type) => type !== 'runtime.checkpoint-reached.v1')).toEqual(steps);
  } finally {
    await lane.close();
  }
}, 60_000);

test('killed before or after any append, a notification is sent and concluded once', async () => {
  const expected = trials.map(({ name }) => ({ name, ...usual, ...exceptions[name] }));
  expect(await runTrials(trials)).toEqual(expected);
}, 300_000);
