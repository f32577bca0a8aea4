import { schemas, type ApiDescription } from '#libs/http';
import { named } from '#libs/validation';
import { parkedStates } from '../parked/parked-item.js';
import {
  consumerSchema,
  handlingSchema,
  membersSchema,
  parkedDetailSchema,
  parkedPageSchema,
  parkedSchema,
  redrivenSchema,
  statsSchema,
  topologySchema,
  viewSchema,
} from './openapi-schemas.js';
import { RedriveDto } from './redrive.dto.js';

const { answer, arrayOf, bodyOf, count, objectOf, oneOf, paging, text } = schemas;

const consumers = named('Consumers', objectOf<{ items: unknown }>({ items: arrayOf(consumerSchema) }));
const name = { description: 'Name of the consumer.', schema: text };
const views = named('Views', objectOf<{ items: unknown }>({ items: arrayOf(viewSchema) }));
const viewName = { description: '`notification.view`, `broadcast.view` or `query-index`.', schema: text };

export const operatorApi: ApiDescription = {
  tag: 'Operating',
  description:
    'Consumers, and the records that they have given up: of all processes that share the store, whichever is asked.',
  routes: {
    'GET /v1/streams': {
      id: 'listStreams',
      summary: 'See the streams, who writes and reads them, and what goes through them',
      query: {},
      answers: { 200: answer('The topology.', topologySchema) },
    },
    'GET /v1/stats': {
      id: 'getStats',
      summary: 'See what happened in the last minutes',
      description: 'As this process has seen it.',
      query: {},
      answers: { 200: answer('The last minutes.', statsSchema) },
    },
    'GET /v1/consumers': {
      id: 'listConsumers',
      summary: 'List the consumers',
      description:
        'Of the whole installation, whichever process is asked. What only the processes that have them know – `handled`, ' +
        '`waiting`, `retrying`, `lastError`, and that one has failed – they tell each other every five seconds.',
      query: {},
      answers: { 200: answer('The consumers.', consumers) },
    },
    'GET /v1/members': {
      id: 'listMembers',
      summary: 'List the processes that share the store',
      description: 'As this process knows them, with what each of them does.',
      query: {},
      answers: { 200: answer('The processes.', membersSchema) },
    },
    'POST /v1/consumers/{name}:pause': {
      id: 'pauseConsumer',
      summary: 'Pause a consumer',
      description:
        'In all processes, whichever is asked, also in those that are started later. What it has begun is finished. Answered ' +
        'when it is on disk; repeated, it answers the same.',
      path: { name },
      answers: { 200: answer('The consumer.', consumerSchema) },
      problems: ['not-found', 'conflict', 'validation'],
    },
    'POST /v1/consumers/{name}:resume': {
      id: 'resumeConsumer',
      summary: 'Resume a consumer',
      description: 'In all processes, whichever is asked. Answered when it is on disk; repeated, it answers the same.',
      path: { name },
      answers: { 200: answer('The consumer.', consumerSchema) },
      problems: ['not-found', 'conflict', 'validation'],
    },
    'GET /v1/parked': {
      id: 'listParked',
      summary: 'List the records that were given up',
      description: 'By all consumers of the installation, in the order in which the records were appended.',
      query: {
        state: { description: 'Which of them.', schema: { ...oneOf(parkedStates), default: 'parked' } },
        consumer: { description: 'Name of the consumer.', schema: text },
        type: { description: 'Stored type name of the record.', schema: text },
        stream: { description: 'Stream of the record.', schema: text },
        correlationId: { description: 'Of the flow.', schema: text },
        error: { description: 'Text that the last error contains.', schema: text },
        ...paging,
      },
      answers: { 200: answer('A page of records.', parkedPageSchema) },
    },
    'GET /v1/parked/{id}': {
      id: 'getParked',
      summary: 'Read a record that was given up',
      query: {},
      answers: { 200: answer('The record, as a whole where the store still holds it.', parkedDetailSchema) },
      problems: ['not-found'],
    },
    'POST /v1/parked:redrive': {
      id: 'redriveParked',
      summary: 'Try records again',
      description:
        'Answered when they are on disk as records to be tried again. Where other processes have them, they are asked, ' +
        'durably, and five seconds are waited for it.',
      body: bodyOf(RedriveDto, { filter: { consumer: 'email.send-bot' }, dryRun: true }),
      answers: {
        200: answer('What was redriven, or would be.', redrivenSchema),
        202: answer('What was redriven until now; `pending` more are asked for.', redrivenSchema),
      },
      problems: ['conflict'],
    },
    'POST /v1/parked/{id}:archive': {
      id: 'archiveParked',
      summary: 'Give a record up for good',
      description:
        'Answered when it is on disk; repeated, it answers the same. Where another process has it, that one is asked, ' +
        'durably, and five seconds are waited for it.',
      answers: {
        200: answer('The record.', parkedSchema),
        202: answer('The record, as it is until the process that has it has done that.', parkedSchema),
      },
      problems: ['not-found', 'conflict', 'validation'],
    },
    'GET /v1/views': {
      id: 'listViews',
      summary: 'List the views, and how far they are built anew',
      query: {},
      answers: { 200: answer('The views.', views) },
    },
    'GET /v1/views/{name}': {
      id: 'getView',
      summary: 'See how far a view is built anew',
      path: { name: viewName },
      query: {},
      answers: { 200: answer('The view.', viewSchema) },
      problems: ['not-found'],
    },
    'POST /v1/views/{name}:rebuild': {
      id: 'rebuildView',
      summary: 'Build a view anew beside the one that serves',
      description:
        'Answered when the request is on disk. Once the new version has caught up, it serves. While one is built already, ' +
        'that one is answered.',
      path: { name: viewName },
      answers: { 202: answer('The view, with what is built.', viewSchema) },
      problems: ['not-found', 'validation'],
    },
    'POST /v1/views/{name}:cancel': {
      id: 'cancelRebuild',
      summary: 'Give up the version of a view that is being built',
      description: 'Repeated, it answers the same.',
      path: { name: viewName },
      answers: { 200: answer('The view.', viewSchema) },
      problems: ['not-found', 'validation'],
    },
    'GET /v1/handling': {
      id: 'getHandling',
      summary: 'See how a record was handled',
      query: {
        stream: { description: 'Stream of the record.', schema: text, required: true },
        revision: { description: 'Its revision in the stream.', schema: count, required: true },
      },
      answers: { 200: answer('What each consumer of its category did with it.', handlingSchema) },
      problems: ['not-found'],
    },
  },
};
