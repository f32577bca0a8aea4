import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { emailEvents, sendEmailBot } from '#libs/channel/email';
import { keyOf, newId, streamName } from '#libs/kernel';
import { stream, StreamAccess, truncateStreams, type Topology } from '#libs/runtime';
import { EscalationFlow, type StoredRecord } from '#libs/testing/flow';
import { outcomeSample, requestedSample, sealedSample } from '#libs/testing/samples';
import type { EscalationDecided, FailuresGathered } from '../escalation/contents.js';
import { escalationEvents } from '../escalation/escalation.js';
import { loadEscalation } from '../escalation/recall.js';
import { escalationRetention } from '../escalation/retention.js';
import type { InternalTeamNotified, NotificationFailed } from '../event/contents.js';
import { notificationEvents, type NotificationEvent } from '../event/notification.js';
import type { SendNotification } from '../operations/client.js';
import { notificationInternalOperations, type NotifyInternalTeam } from '../operations/internal.js';
import { notificationViews, type NotificationView } from '../view/notification-view.js';
import { escalationBot } from './escalation.bot.js';
import { escalationFanOutBot } from './escalation.fan-out.bot.js';
import { escalationReactor } from './escalation.reactor.js';
import { viewProjector } from './view.projector.js';

const minute = 60_000;

const sendSample: SendNotification = {
  recipientId: 'user-42',
  category: 'billing',
  severity: 'info',
  subject: requestedSample.subject,
  content: { inline: sealedSample('content') },
  about: null,
  tags: {},
  deliverAt: null,
  expiresAt: null,
};
const unknown: NotificationFailed = { reason: 'unknownRecipient', decision: null, outcomes: [] };

/** Each failure stands in one page, each page is told in one mail, and each notification names that mail. */
async function expectEachToldOnce({ flow }: EscalationFlow, ids: readonly string[]): Promise<void> {
  const records = await flow.stored();
  const told = new Map<string, string>();
  let open: string[] = [];
  for (const { type, data } of records.filter(({ stream }) => stream === 'escalation.event-team')) {
    if (type === 'escalation.failures-gathered.v1') {
      open.push(...(data as FailuresGathered).failures.map(({ notificationId }) => notificationId));
      continue;
    }
    const { operationId, summary } = data as EscalationDecided;
    expect(summary.count).toBe(open.length);
    for (const id of open) {
      expect(told.has(id)).toBe(false);
      told.set(id, operationId);
    }
    open = [];
  }
  expect(open).toEqual([]);
  expect([...told.keys()].sort()).toEqual([...ids].sort());
  const marked = records.filter(({ type }) => type === 'notification.internal-team-notified.v1');
  expect(
    new Map(marked.map(({ stream, data }) => [keyOf(stream), (data as InternalTeamNotified).operationId])),
  ).toEqual(told);
  expect(marked).toHaveLength(ids.length);
  expect(marked.every(correlatesWithItsStream)).toBe(true);
  expect(keysOf(records, 'email.operation')).toEqual([...new Set(told.values())].sort());
}

function correlatesWithItsStream({ stream, metadata }: StoredRecord): boolean {
  return (metadata as { $correlationId: string }).$correlationId === keyOf(stream);
}

function keysOf(records: readonly StoredRecord[], category: string): string[] {
  return records
    .filter(({ stream }) => stream.startsWith(`${category}-`))
    .map(({ stream }) => keyOf(stream))
    .sort();
}

let escalations: EscalationFlow;
beforeEach(async () => {
  escalations = await EscalationFlow.open();
});
afterEach(() => escalations.close());

describe('what is escalated', () => {
  const asked = () => escalations.flow.dataOf<NotifyInternalTeam>(notificationInternalOperations.category);

  test('a failure, with its reason and what the channel said', async () => {
    const operationId = newId();
    const failure = {
      stage: 'send',
      kind: 'permanent',
      code: 550,
      enhancedCode: null,
      doubtful: false,
      message: null,
      conversation: null,
    };
    await escalations.flow.store.append(streamName(emailEvents, operationId), 'noStream', [
      {
        id: newId(),
        type: 'email.failed.v1',
        data: { attempt: 1, reason: 'permanent', failure },
      },
    ]);
    const outcomes = [outcomeSample(operationId, 'permanent'), outcomeSample(newId(), 'deadline')];
    await escalations.fail(1, { reason: 'couldNotSend', decision: null, outcomes });
    await escalations.settle();
    expect(await asked()).toEqual([
      {
        reason: 'couldNotSend',
        codes: ['email 550', 'email deadline'],
        failedAt: expect.any(String),
        notificationRevision: '1',
      },
    ]);
  });
  test('once, also where something stands in the stream of the operation already, as of a member of a broadcast', async () => {
    const [id] = await escalations.fail();
    await escalations.flow.store.append(streamName(notificationInternalOperations, id!), 'noStream', [
      { id: newId(), type: 'notification.send.v1', data: sendSample, metadata: { $correlationId: id! } },
    ]);
    for (let times = 0; times < 2; times += 1) await escalations.drive(escalationReactor);
    expect((await escalations.operations()).map(({ type }) => type)).toEqual([
      'notification.send.v1',
      'notification.notify-internal-team.v1',
    ]);
    await escalations.settle();
    await expectEachToldOnce(escalations, [id!]);
  });
  test('a notification that was sent in part', async () => {
    const outcomes = [outcomeSample('a'), outcomeSample('b', 'permanent', 'slack')];
    await escalations.end(1, { type: 'notification.partially-sent.v1', data: { outcomes } });
    await escalations.settle();
    expect(await asked()).toMatchObject([{ reason: 'partiallySent', codes: ['slack permanent'] }]);
  });
  test.each<[string, NotificationEvent]>([
    ['an erased recipient', { type: 'notification.failed.v1', data: { ...unknown, reason: 'recipientErased' } }],
    [
      'its time was over',
      { type: 'notification.expired.v1', data: { notAfter: requestedSample.notAfter, outcomes: [] } },
    ],
    ['it was sent', { type: 'notification.sent.v1', data: { outcomes: [outcomeSample('a')] } }],
  ])('not: %s', async (_, end) => {
    await escalations.end(1, end);
    await escalations.settle();
    expect(await asked()).toEqual([]);
  });
  test('nothing where there is nobody to tell', async () => {
    const silent = await EscalationFlow.open({ teamEmail: undefined });
    await silent.fail();
    const before = await silent.flow.stored();
    await silent.settle();
    expect(await silent.flow.stored()).toEqual(before);
    await silent.close();
  });
});

test('the mail goes to the team, and nothing of it stands in clear', async () => {
  const ids = await escalations.fail(2);
  await escalations.settle();
  await escalations.flow.drive([sendEmailBot]);
  const { sent } = escalations.flow.services.transport;
  expect(sent).toMatchObject([
    {
      from: { address: 'office@example.org' },
      to: [EscalationFlow.team],
      subject: '2 notifications failed (unknownRecipient 2)',
    },
  ]);
  for (const id of ids) expect(sent[0]!.text).toContain(id);
  const stored = JSON.stringify(await escalations.flow.stored());
  expect(stored).not.toContain(EscalationFlow.team.address);
  expect(stored).not.toContain('notifications failed');
  await expectEachToldOnce(escalations, ids);
});

test('what it says in the notification of a broadcast’s member names the broadcast, as all of the member’s records do', async () => {
  const { flow } = escalations;
  const id = newId();
  const member = { broadcastId: newId(), broadcastOrdinal: 3 };
  const ends: NotificationEvent[] = [
    { type: 'notification.requested.v1', data: requestedSample },
    { type: 'notification.failed.v1', data: unknown },
  ];
  const events = ends.map((event) => ({ id: newId(), metadata: { $correlationId: id, ...member }, ...event }));
  await flow.store.append(streamName(notificationEvents, id), 'noStream', events);
  const [alone] = await escalations.fail();
  await escalations.settle();
  const told = (await flow.stored()).filter(({ type }) => type === 'notification.internal-team-notified.v1');
  const metadataOf = (one: string) => told.find(({ stream }) => keyOf(stream) === one)!.metadata;
  expect(metadataOf(id)).toMatchObject({ $correlationId: id, ...member });
  expect(metadataOf(alone!)).not.toHaveProperty('broadcastId');
});

test('the view names the mail, also where it was final before', async () => {
  const views = () => escalations.flow.dataOf<NotificationView>(notificationViews.category);
  await escalations.fail();
  await escalations.drive(viewProjector);
  expect((await views()).at(-1)).toMatchObject({ status: 'failed', escalation: null });
  await escalations.settle();
  await escalations.drive(viewProjector);
  const [{ operationId, at }] = (await escalations.decisions()) as [EscalationDecided];
  expect((await views()).at(-1)).toMatchObject({ status: 'failed', escalation: { operationId, at }, revision: 2 });
});

test('a mail to the team that fails makes no other', async () => {
  escalations.flow.services.transport.failures.push(new Error('no'), new Error('no'), new Error('no'));
  await escalations.fail();
  await escalations.settle();
  await escalations.flow.drive([sendEmailBot]);
  await escalations.settle();
  expect(await escalations.decisions()).toHaveLength(1);
  expect(await escalations.flow.dataOf('email.operation')).toHaveLength(1);
});

test('30,000 failures within an hour come to a handful of mails, whose counts add up', async () => {
  const ids: string[] = [];
  for (let minutes = 0; minutes < 60; minutes += 1) {
    ids.push(...(await escalations.fail(500)));
    await escalations.settle();
    escalations.flow.advance(minute);
    if (await escalations.isDue()) await escalations.fireTimers();
    await escalations.settle();
  }
  while ((await escalations.fireTimers()) > 0) await escalations.settle();
  const decisions = await escalations.decisions();
  expect(ids.length).toBe(30_000);
  expect(decisions.length).toBeLessThanOrEqual(5);
  expect(decisions.reduce((sum, { summary }) => sum + summary.count, 0)).toBe(ids.length);
  await expectEachToldOnce(escalations, ids);
}, 300_000);

describe('what was told', () => {
  const consumers = ['notification.escalation-bot', 'notification.escalation-fan-out-bot'];
  const types = async () => {
    const found: string[] = [];
    for await (const { type } of escalations.flow.store.readStream('escalation.event-team')) found.push(type);
    return found;
  };
  const topology: Topology<never> = {
    streams: [
      stream(escalationEvents, {
        producers: [escalationBot],
        consumers: [escalationBot, escalationFanOutBot],
        retention: escalationRetention,
      }),
    ],
    handlers: [],
  };
  const page = 'escalation.failures-gathered.v1';
  const decided = 'escalation.decided.v1';

  async function allHavePassed(): Promise<void> {
    const position = String(await escalations.flow.store.head());
    for (const consumer of consumers) {
      const event = { id: newId(), type: 'runtime.checkpoint-reached.v1', data: { position } };
      await escalations.flow.store.append(`runtime.checkpoint-${consumer}`, 'any', [event]);
    }
  }

  async function tellTwice(): Promise<string[]> {
    const first = await escalations.fail();
    await escalations.settle();
    await escalations.flow.drive([sendEmailBot]);
    const second = await escalations.fail(2);
    await escalations.settle();
    await escalations.fireTimers();
    await escalations.settle();
    expect(await types()).toEqual([page, decided, page, decided]);
    return [...first, ...second];
  }

  test('is truncated up to the last mail that has ended', async () => {
    await tellTwice();
    await allHavePassed();
    const access = new StreamAccess(escalations.flow.store, escalationBot);
    const before = await loadEscalation(access);
    await truncateStreams(escalations.flow.store, topology);
    expect(await types()).toEqual([decided, page, decided]);
    await escalations.flow.drive([sendEmailBot]);
    await allHavePassed();
    await truncateStreams(escalations.flow.store, topology);
    expect(await types()).toEqual([decided]);
    expect(await loadEscalation(access)).toEqual(before);
  });

  test('is truncated also where the mail came back', async () => {
    await tellTwice();
    await escalations.flow.drive([sendEmailBot]);
    for (const { operationId } of await escalations.decisions()) {
      const bounced = { id: newId(), type: 'email.bounced.v1', data: {} };
      await escalations.flow.store.append(streamName(emailEvents, operationId), 1n, [bounced]);
    }
    await allHavePassed();
    await truncateStreams(escalations.flow.store, topology);
    expect(await types()).toEqual([decided]);
  });

  test('stays while a consumer may still need it', async () => {
    await tellTwice();
    await escalations.flow.drive([sendEmailBot]);
    await truncateStreams(escalations.flow.store, topology);
    expect(await types()).toEqual([page, decided, page, decided]);
  });
});

describe('while there is nobody to tell', () => {
  async function failAgain(): Promise<string[]> {
    const first = await escalations.fail();
    await escalations.settle();
    const second = await escalations.fail();
    await escalations.settle();
    expect(await escalations.decisions()).toHaveLength(1);
    return [...first, ...second];
  }

  async function restart(isTold: boolean): Promise<void> {
    escalations.tellTeam(isTold);
    escalations.restart();
    await escalations.settle();
  }

  test('a mail falls due: it is made at the next start with somebody to tell, without a further failure', async () => {
    const ids = await failAgain();
    await restart(false);
    await escalations.fireTimers();
    await escalations.settle();
    expect(await escalations.decisions()).toHaveLength(1);
    await restart(true);
    await expectEachToldOnce(escalations, ids);
  });

  test('a mail does not fall due: it is made at its time', async () => {
    const ids = await failAgain();
    await restart(false);
    await restart(true);
    expect(await escalations.decisions()).toHaveLength(1);
    await escalations.fireTimers();
    await escalations.settle();
    await expectEachToldOnce(escalations, ids);
  });

  test('a mail has no timer yet, since the process was killed: it gets one at the next start with somebody to tell', async () => {
    const first = await escalations.fail();
    await escalations.settle();
    const second = await escalations.fail();
    // The operation and the page, but not the timer.
    escalations.flow.tearAfter(2);
    await expect(escalations.settle()).rejects.toThrow();
    escalations.flow.tearAfter();
    expect(await escalations.recordsOf('runtime.timer')).toEqual([]);
    await restart(false);
    await restart(true);
    expect(await escalations.decisions()).toHaveLength(1);
    await escalations.fireTimers();
    await escalations.settle();
    await expectEachToldOnce(escalations, [...first, ...second]);
  });

  test('something fails: nobody is told of it, then or later', async () => {
    await restart(false);
    await escalations.fail();
    await restart(false);
    expect(await escalations.operations()).toEqual([]);
  });
});

describe('whatever is killed and handed out again', () => {
  type Step =
    | { readonly fail: number }
    | { readonly dieAfter: number }
    | { readonly repeat: number }
    | { readonly advance: number }
    | { readonly fire: true }
    | { readonly settle: true };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ fail: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ dieAfter: fc.nat(9) }),
    fc.record({ repeat: fc.nat(20) }),
    fc.record({ advance: fc.constantFrom(1_000, 2 * minute, 20 * minute, 120 * minute) }),
    fc.constant({ fire: true } as const),
    fc.constant({ settle: true } as const),
  );

  async function take(one: EscalationFlow, next: Step, ids: string[]): Promise<void> {
    if ('fail' in next) ids.push(...(await one.fail(next.fail)));
    else if ('advance' in next) one.flow.advance(next.advance);
    else if ('fire' in next) await one.fireTimers();
    else if ('settle' in next) await one.settle();
    else if ('repeat' in next) {
      // Those that are handed out again were handed out before.
      await one.settle();
      const operations = await one.operations();
      if (operations.length > 0) await one.hand(operations[next.repeat % operations.length]!);
    } else {
      one.flow.tearAfter(next.dieAfter);
      await one.settle().catch(() => undefined);
      one.flow.tearAfter();
      one.restart();
    }
  }

  test('each failure is told in exactly one mail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        const one = await EscalationFlow.open();
        try {
          const ids: string[] = [];
          for (const next of steps) await take(one, next, ids);
          await one.settle();
          while ((await one.fireTimers()) > 0) await one.settle();
          await expectEachToldOnce(one, ids);
          const before = await one.flow.stored();
          one.restart();
          await one.settle();
          expect(await one.flow.stored()).toEqual(before);
        } finally {
          await one.close();
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test('one that is handed out long after others were told is told too', async () => {
    const ids = await escalations.fail(3);
    await escalations.drive(escalationReactor);
    const [late, ...others] = await escalations.operations();
    for (const operation of others) await escalations.hand(operation);
    await escalations.settle();
    expect(await escalations.decisions()).toMatchObject([{ summary: { count: 1 } }]);

    escalations.restart();
    await escalations.hand(late!);
    while ((await escalations.fireTimers()) > 0) await escalations.settle();
    await expectEachToldOnce(escalations, ids);
  });

  test('a notification that says already that the team is told keeps none of the others from saying so', async () => {
    const ids = await escalations.fail(3);
    const data: InternalTeamNotified = { operationId: newId(), at: new Date().toISOString() };
    const foreign = { id: newId(), type: 'notification.internal-team-notified.v1', data };
    await escalations.flow.store.append(streamName(notificationEvents, ids[1]!), 1n, [foreign]);
    await escalations.settle();
    const [decision] = await escalations.decisions();
    const marks = await escalations.flow.dataOf<InternalTeamNotified>('notification.event', foreign.type);
    expect(marks.map(({ operationId }) => operationId).sort()).toEqual(
      [data.operationId, decision!.operationId, decision!.operationId].sort(),
    );
  });
});
