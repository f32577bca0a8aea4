import { describe, test } from '@jest/globals';
import { given } from '#libs/testing';
import { reminder, type ReminderEvent } from './reminder.js';

const notificationId = '0197b2f3-5c1a-8d48-a133-3ea209668ebd';
const reminded = (round: number): ReminderEvent => ({ type: 'reminder.reminded.v1', data: { round, notificationId } });
const ended = (ending: 'finished' | 'exhausted'): ReminderEvent => ({ type: 'reminder.ended.v1', data: { ending } });
const remind = (round: number) => ({ type: 'remind', round, times: 2, notificationId }) as const;

describe('a reminder', () => {
  test('reminds, and again', () => {
    given(reminder).when(remind(1)).then(reminded(1));
  });
  test('ends with its last time', () => {
    given(reminder, reminded(1)).when(remind(2)).then(reminded(2), ended('exhausted'));
  });
  test('that is handled again decides nothing', () => {
    given(reminder, reminded(1)).when(remind(1)).then();
  });
  test('that is finished reminds no more', () => {
    given(reminder, reminded(1)).when({ type: 'finish' }).then(ended('finished'));
    given(reminder, reminded(1), ended('finished')).when(remind(2)).then();
  });
});
