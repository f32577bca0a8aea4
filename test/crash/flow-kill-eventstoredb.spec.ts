import { expect, test } from '@jest/globals';
import type { RecordedEvent } from '#libs/kernel';
import { startElsewhere, temporaryFolder } from '../support/index.js';
import { aroundAppend, runTrials, type Elsewhere, type Outcome, type Trial } from './support/trial.js';

const trials: readonly Trial[] = [
  ...aroundAppend('notification.send.v1'),
  ...aroundAppend('email.claimed.v1'),
  ...aroundAppend('email.sent.v1'),
  ...aroundAppend('notification.sent.v1'),
  ...aroundAppend('runtime.timers-noted.v1', { deliverIn: 1_500 }),
  ...aroundAppend('runtime.timer-fired.v1', { deliverIn: 1_500 }),
];

/** A notification that was sent at its first attempt. */
const usual: Omit<Outcome, 'name'> = {
  status: 'sent',
  early: false,
  ids: 1,
  mails: 1,
  messageIds: 1,
  claims: [false],
  attempts: 1,
};

/** The attempt was claimed and left no outcome. */
const inDoubt: Readonly<Record<string, Partial<Outcome>>> = {
  'after email.claimed.v1': { claims: [false, true], attempts: 2 },
  'before email.sent.v1': { claims: [false, true], attempts: 2, mails: 2 },
};

async function openElsewhere(): Promise<Elsewhere> {
  const folder = await temporaryFolder();
  const { store, settings, close } = await startElsewhere(folder.path);
  return {
    settings: { ...settings, TIDINGS_PARTITIONS: '2' },
    async records() {
      const records: RecordedEvent[] = [];
      for await (const record of store.readAll()) records.push(record);
      return records;
    },
    async close() {
      await close();
      await folder.remove();
    },
  };
}

test('with its events in a server of EventStoreDB, a notification is sent and concluded once in spite of kills', async () => {
  const expected = trials.map(({ name }) => ({ name, ...usual, ...inDoubt[name] }));
  expect(await runTrials(trials, openElsewhere)).toEqual(expected);
}, 300_000);
