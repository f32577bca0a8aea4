import { schemas, type ApiDescription } from '#libs/http';
import { named } from '#libs/validation';
import { PostReminderDto } from './post-reminder.dto.js';
import type { AcceptedReminder } from './reminder.controller.js';
import type { ReminderView } from './reminders.js';

const { answer, bodyOf, count, meaning, objectOf, text, uuid } = schemas;

const reminder = named(
  'Reminder',
  objectOf<ReminderView>({
    id: uuid,
    status: meaning<ReminderView['status']>({
      active: 'it goes on',
      finished: 'the recipient is done',
      exhausted: 'it has reminded as often as it was asked to',
    }),
    rounds: count,
  }),
);
const accepted = named('AcceptedReminder', objectOf<AcceptedReminder>({ id: uuid, href: text }));

export const reminderApi: ApiDescription = {
  tag: 'Reminders',
  description: 'Telling somebody something until they are done.',
  routes: {
    'POST /v1/reminders': {
      id: 'postReminder',
      summary: 'Remind somebody',
      body: bodyOf(PostReminderDto),
      answers: { 202: answer('It is accepted.', accepted) },
    },
    'GET /v1/reminders/{id}': {
      id: 'getReminder',
      summary: 'Read what became of a reminder',
      path: { id: { description: 'Of the reminder.', schema: uuid } },
      answers: { 200: answer('The reminder.', reminder) },
      problems: ['not-found', 'unreadable-record'],
    },
    'POST /v1/reminders/{id}:finish': {
      id: 'finishReminder',
      summary: 'Remind no more',
      path: { id: { description: 'Of the reminder.', schema: uuid } },
      answers: { 202: answer('It is accepted.', accepted) },
      problems: ['not-found', 'unreadable-record'],
    },
  },
};
