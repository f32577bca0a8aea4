import { schemas, type ApiDescription } from '#libs/http';
import { named } from '#libs/validation';
import type { DailyCountsDto } from './daily-counts.controller.js';

const { answer, count, objectOf, recordOf } = schemas;

const date = { type: 'string', format: 'date' };
const dailyCounts = named('DailyCounts', objectOf<DailyCountsDto>({ day: date, counts: recordOf(count) }));

export const dailyCountsApi: ApiDescription = {
  tag: 'Daily counts',
  description: 'How many notifications were asked for.',
  routes: {
    'GET /v1/daily-counts/{day}': {
      id: 'getDailyCounts',
      summary: 'Read the counts of a day',
      path: { day: { description: 'In UTC.', schema: date } },
      answers: { 200: answer('By category.', dailyCounts) },
      problems: ['not-found', 'unreadable-record'],
    },
  },
};
