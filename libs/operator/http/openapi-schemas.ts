import { schemas } from '#libs/http';
import { named, nullable, type JsonSchema } from '#libs/validation';
import type { ConsumerView } from '../consumers.js';
import type { HandlingState, Transition } from '../handling/handling.js';
import type { ConsumerHandling } from '../handling/read-handling.js';
import type { ParkedItem, ParkedState } from '../parked/parked-item.js';
import type { Redriven } from '../parked/parked-records.js';
import type { HandlingView } from './handling.controller.js';
import type { MembersView, MemberView } from './members.controller.js';
import type { StatsView } from './stats.controller.js';
import type { StreamEnd, StreamView, TopologyView } from './streams.controller.js';
import type { ParkedDetail, ParkedPage } from './parked.controller.js';
import type { RebuildView, ViewView } from './views.controller.js';

const { arrayOf, count, flag, meaning, objectOf, position, recordOf, recordSchema, text, time, uuid } = schemas;

const failedTry = objectOf<{ at: string; error: string }>({ at: time, error: text });

export const consumerSchema = named(
  'Consumer',
  objectOf<ConsumerView>({
    name: text,
    role: text,
    state: meaning<ConsumerView['state']>({
      running: 'it hands records out',
      paused: 'by an operator',
      failed: 'its bookkeeping failed for good, or another process took over',
      stopped: 'no process runs it',
      standby: 'other processes have all of its partitions',
    }),
    partitions: {
      ...arrayOf(count),
      description: 'Those of its flows that a process has; 0 alone, where they are not split.',
    },
    position: { ...position, description: 'Every record up to here is handled, to be retried, or parked.' },
    lag: { ...count, description: 'Positions to the end of the store: no fewer than the records left to do.' },
    handled: { ...count, description: 'Since the processes started that have it.' },
    waiting: { ...count, description: 'Taken in and not done yet.' },
    retrying: { ...count, description: 'Of the partitions that a process has.' },
    parked: count,
    lastError: nullable(failedTry),
    pausedAt: nullable(time),
  }),
);

export const membersSchema = named(
  'Members',
  objectOf<MembersView>({
    partitions: { ...count, description: 'Into how many partitions the flows are split.' },
    items: {
      ...arrayOf(
        objectOf<MemberView>({
          id: uuid,
          self: { ...flag, description: 'It is the one that answers.' },
          roles: arrayOf(text),
          slots: { ...arrayOf(text), description: 'What it does: a role and a partition each, as bots.0.' },
        }),
      ),
      description: 'None where this process has the store alone.',
    },
  }),
);

const parkedProperties: Parameters<typeof objectOf<ParkedItem>>[0] = {
  id: { ...uuid, description: 'Of this record at this consumer: parked again, it has the same one.' },
  consumer: text,
  state: meaning<ParkedState>({ parked: 'until it is redriven or archived', archived: 'given up for good' }),
  record: objectOf<ParkedItem['record']>({ id: uuid, type: text, stream: text, revision: count, position }),
  correlationId: text,
  parkedAt: time,
  archivedAt: nullable(time),
  tries: { ...arrayOf(failedTry), description: 'The failed ones since it was appended or last redriven.' },
};

export const parkedSchema = named('Parked', objectOf<ParkedItem>(parkedProperties));

export const parkedPageSchema = objectOf<ParkedPage>(
  {
    items: arrayOf(parkedSchema),
    nextCursor: { ...nullable(text), description: 'The `cursor` of the next page; null where nothing follows.' },
    omitted: { ...count, description: 'Parked records that no page has; only where there are more than are kept.' },
  },
  ['omitted'],
);

export const parkedDetailSchema = named(
  'ParkedDetail',
  objectOf<ParkedDetail>({ ...parkedProperties, event: nullable(recordSchema) }),
);

export const redrivenSchema = named(
  'Redriven',
  objectOf<Redriven & { dryRun: boolean }>(
    {
      dryRun: flag,
      count,
      ids: { ...arrayOf(uuid), maxItems: 1_000 },
      pending: { ...count, description: 'More that are asked for, and not done yet; only where there are such.' },
    },
    ['pending'],
  ),
);

const transition = objectOf<Transition>(
  {
    type: meaning<Transition['type']>({
      pending: 'it was appended',
      failed: 'a try failed',
      retryScheduled: 'it is tried again',
      waiting: 'it waits behind another record of its flow',
      parked: 'it was given up',
      redriven: 'an operator had it tried again',
      archived: 'an operator gave it up for good',
      handled: 'it is done',
    }),
    at: { ...nullable(time), description: 'Null where only the checkpoint tells that it has happened.' },
    error: { type: 'string', description: 'Of a failed try.' },
    dueAt: { ...time, description: 'Of a retry: not before.' },
  },
  ['error', 'dueAt'],
);

export const handlingSchema = named(
  'Handling',
  objectOf<HandlingView>({
    record: objectOf<HandlingView['record']>({
      id: uuid,
      type: text,
      stream: text,
      revision: count,
      position,
      occurredAt: time,
    }),
    correlationId: text,
    items: arrayOf(
      objectOf<ConsumerHandling>({
        consumer: text,
        role: text,
        state: meaning<HandlingState>({
          pending: 'not handled yet',
          waiting: 'waits behind another record of its flow',
          retrying: 'is tried again',
          parked: 'given up, until it is redriven or archived',
          archived: 'given up for good',
          handled: 'done',
        }),
        transitions: arrayOf(transition),
      }),
    ),
  }),
);

const end = { name: text, role: text };

export const topologySchema = named(
  'Topology',
  objectOf<TopologyView>({
    items: arrayOf(
      objectOf<StreamView>({
        category: { ...text, description: 'Of a view that of the version that serves.' },
        subsystem: text,
        kind: text,
        types: { ...arrayOf(text), description: 'Stored type names.' },
        producers: arrayOf(objectOf<StreamEnd>(end)),
        consumers: arrayOf(
          objectOf<StreamView['consumers'][number]>({
            ...end,
            handed: { ...flag, description: 'Every record comes to it; else it only looks single streams up.' },
          }),
        ),
        appended: { ...count, description: 'Records since `countedSince`.' },
        head: nullable(objectOf<NonNullable<StreamView['head']>>({ position, at: time })),
      }),
    ),
    head: position,
    countedSince: time,
  }),
);

/** In milliseconds. */
const latency: JsonSchema = { type: ['number', 'null'] };

export const statsSchema = named(
  'Stats',
  objectOf<StatsView>({
    countedSince: time,
    step: { ...count, description: 'Seconds that a point covers.' },
    points: {
      description: 'Oldest first, without gaps; the last one is not over yet.',
      ...arrayOf(
        objectOf<StatsView['points'][number]>({
          at: time,
          accepted: { ...count, description: 'Notifications taken up.' },
          outcomes: { ...recordOf(count), description: 'Notifications that ended, by status.' },
        }),
      ),
    },
    latency: {
      description: 'Milliseconds from the request, or from `deliverAt`, to the end.',
      ...objectOf<StatsView['latency']>({ count, p50: latency, p95: latency, p99: latency }),
    },
  }),
);

export const viewSchema = named(
  'View',
  objectOf<ViewView>({
    name: text,
    state: meaning<ViewView['state']>({
      serving: 'nothing else goes on',
      rebuilding: 'a version is built beside the one that serves',
    }),
    version: { ...count, description: 'The one that serves.' },
    servingSince: { ...nullable(time), description: 'Null: from the beginning, or that is not known.' },
    rebuild: nullable(
      objectOf<RebuildView>({
        version: count,
        startedAt: time,
        done: { ...count, description: 'Position up to which everything is in.' },
        total: {
          ...count,
          description: 'Position up to which there is something: what is done reaches it at the end.',
        },
        records: { ...count, description: 'Replayed so far.' },
        rate: { ...count, description: 'Records a second since the start.' },
        error: { ...nullable(text), description: 'Why it cannot go on, until it tries again.' },
      }),
    ),
  }),
);
