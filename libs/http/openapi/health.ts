import { named } from '#libs/validation';
import type { Readiness, ReadinessResult } from '../health.controller.js';
import { answer, objectOf, oneOf, recordOf } from './common.js';
import type { ApiDescription } from './description.js';

const status = oneOf(['up', 'down']);
const readiness = named(
  'Readiness',
  objectOf<Readiness>({
    status,
    checks: recordOf(
      objectOf<ReadinessResult>({ status, detail: { type: 'string', description: 'For operators.' } }, ['detail']),
    ),
  }),
);

export const healthApi: ApiDescription = {
  tag: 'Health',
  description: 'For supervisors and load balancers.',
  routes: {
    'GET /health/live': {
      id: 'isLive',
      summary: 'Whether the process runs',
      answers: { 200: answer('It does.', objectOf<{ status: 'up' }>({ status: { const: 'up' } })) },
    },
    'GET /health/ready': {
      id: 'isReady',
      summary: 'Whether requests can be sent here',
      answers: { 200: answer('They can.', readiness), 503: answer('Not now.', readiness) },
    },
  },
};
