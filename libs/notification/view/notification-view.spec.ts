import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fold, type RecordedEvent } from '#libs/kernel';
import {
  decisionSample,
  outcomeSample,
  preparedOnBothSample,
  preparedSample,
  requestedSample,
  sealedSample,
} from '#libs/testing/samples';
import { notification, type NotificationEvent } from '../event/notification.js';
import { foldView } from './history.js';
import type { NotificationView } from './notification-view.js';
import { project, type ViewSource } from './project.js';

const id = '01912d68-783e-7a1b-8e10-000000000001';

interface Event {
  readonly type: string;
  readonly data: unknown;
  /** Of the stream, for an event of a channel; default: a. */
  readonly key?: string;
}

/** Records as the store has them: positions and revisions in the order given. */
function recorded(events: readonly Event[]): ViewSource[] {
  const revisions = new Map<string, bigint>();
  return events.map(({ type, data, key = 'a' }, index) => {
    const channel = /^(email|slack)\./.exec(type)?.[1];
    const stream = channel === undefined ? `notification.event-${id}` : `${channel}.event-${key}`;
    const revision = (revisions.get(stream) ?? -1n) + 1n;
    revisions.set(stream, revision);
    const record: RecordedEvent = {
      id: `event-${index}`,
      type,
      stream,
      revision,
      position: BigInt(10 * (index + 1)),
      created: Date.parse('2026-01-01T00:00:00Z') + index * 1_000,
      data,
      metadata: { $correlationId: id },
      checked: false,
    };
    return record as ViewSource;
  });
}

const failure = {
  stage: 'send',
  kind: 'transient',
  code: 451,
  enhancedCode: null,
  doubtful: false,
  message: sealedSample('error'),
  conversation: null,
} as const;
const receipt = {
  messageId: '<a@example.org>',
  bytes: 9,
  accepted: 1,
  rejected: 0,
  sandbox: true,
  mime: { keyId: 'k', id: 'a-mime-2', size: 9 },
  detail: null,
};
const requested = { type: 'notification.requested.v1', data: requestedSample } as const;
const prepared = { type: 'notification.prepared.v1', data: preparedSample('a') } as const;
const claimed = (attempt: number) => ({ type: 'email.claimed.v1', data: { attempt, afterDoubt: false } });
const attemptFailed = { type: 'email.attempt-failed.v1', data: { attempt: 1, failure, retryAt: 5 } };
const mailSent = { type: 'email.sent.v1', data: { attempt: 2, receipt } };
const mailFailed = { type: 'email.failed.v1', data: { attempt: 1, reason: 'permanent', failure } };
const sent = { type: 'notification.sent.v1', data: { outcomes: [outcomeSample('a')] } } as const;
const failed = (reason: 'couldNotSend' | 'deadlineExceeded', outcome: string) =>
  ({
    type: 'notification.failed.v1',
    data: { reason, decision: decisionSample, outcomes: [outcomeSample('a', outcome)] },
  }) as const;

const succeeding = recorded([requested, prepared, claimed(1), attemptFailed, claimed(2), mailSent, sent]);
const failing = recorded([requested, prepared, claimed(1), mailFailed, failed('couldNotSend', 'permanent')]);
const late = recorded([requested, prepared, claimed(1), failed('deadlineExceeded', 'deadline'), mailSent]);
const optedOut = recorded([
  requested,
  {
    type: 'notification.opted-out.v1',
    data: { decision: decisionSample, channels: [{ channel: 'email', outcome: 'notChosen' }] },
  },
]);
const unusable = recorded([
  requested,
  {
    type: 'notification.failed.v1',
    data: {
      reason: 'noUsableChannel',
      decision: decisionSample,
      channels: [
        { channel: 'email', outcome: 'noAddress' },
        { channel: 'slack', outcome: 'notAvailable' },
      ],
      outcomes: [],
    },
  },
]);
const expired = recorded([
  requested,
  { type: 'notification.scheduled.v1', data: { deliverAt: '2026-01-01T12:00:00.000Z' } },
  { type: 'notification.expired.v1', data: { notAfter: requestedSample.notAfter, outcomes: [] } },
]);

function operationOf(view: NotificationView | undefined) {
  return view?.channels.email?.operations[0];
}

describe('what is reported of a mail', () => {
  const reported = (kind: 'bounced' | 'delayed', role = 'to', key = 'a') => ({
    type: `email.${kind}.v1`,
    key,
    data: { attempt: 2, role, index: 0, address: sealedSample('address'), status: '5.1.1', diagnostic: null },
  });
  const viewOf = (...events: Event[]) => foldView(recorded(events))!;
  const both = { type: 'notification.prepared.v1', data: preparedSample('a', 'b') };
  const bothSent = { type: 'notification.sent.v1', data: { outcomes: [outcomeSample('a'), outcomeSample('b')] } };

  test('after the end: the mail bounced, and how the notification ended stays', () => {
    const before = foldView(succeeding)!;
    const after = viewOf(
      requested,
      prepared,
      claimed(1),
      attemptFailed,
      claimed(2),
      mailSent,
      sent,
      reported('bounced'),
    );
    const { status, completedAt } = before;
    expect(after).toMatchObject({ status, completedAt, delivery: { bounced: 1, delayed: 0 } });
    expect(after.channels.email).toMatchObject({ status: 'bounced' });
    expect(operationOf(after)).toMatchObject({ status: 'bounced', late: false, attempts: 2 });
  });
  test('before the end: that all of it was taken does not undo it', () => {
    const after = viewOf(requested, prepared, claimed(1), mailSent, reported('bounced'), sent);
    expect(operationOf(after)).toMatchObject({ status: 'bounced' });
    expect(after).toMatchObject({ status: 'sent', delivery: { bounced: 1, delayed: 0 } });
  });
  test('of one mail of two: the channel is sent in part', () => {
    const mails = [claimed(1), mailSent, { ...claimed(1), key: 'b' }, { ...mailSent, key: 'b' }];
    const after = viewOf(requested, both, ...mails, bothSent, reported('bounced', 'to', 'b'));
    expect(after.channels.email).toMatchObject({
      status: 'partiallySent',
      operations: [{ status: 'succeeded' }, { status: 'bounced' }],
    });
  });
  test('of a copy, or a delay: the mail is sent all the same', () => {
    const after = viewOf(
      requested,
      prepared,
      claimed(1),
      mailSent,
      sent,
      reported('bounced', 'cc'),
      reported('delayed'),
    );
    expect(operationOf(after)).toMatchObject({
      status: 'succeeded',
      bounced: [{ role: 'cc' }],
      delayed: [{ role: 'to' }],
    });
    expect(after).toMatchObject({ channels: { email: { status: 'sent' } }, delivery: { bounced: 1, delayed: 1 } });
  });
  test('of a mail that was given up: it stays so until a success is told', () => {
    const failedThenBounced = [
      requested,
      prepared,
      claimed(1),
      mailFailed,
      failed('couldNotSend', 'permanent'),
      reported('bounced'),
    ];
    expect(operationOf(viewOf(...failedThenBounced))).toMatchObject({
      status: 'failed',
      bounced: [{ status: '5.1.1' }],
    });
    expect(operationOf(viewOf(...failedThenBounced, mailSent))).toMatchObject({ status: 'bounced', late: true });
  });
});

describe('step by step', () => {
  const views = succeeding.map((_, index) => foldView(succeeding.slice(0, index + 1))!);
  test('requested', () => {
    expect(views[0]).toEqual({
      id,
      recipientId: 'user-42',
      category: 'billing',
      severity: 'info',
      subject: requestedSample.subject,
      status: 'requested',
      reason: null,
      decision: null,
      requestedAt: '2026-01-01T00:00:00.000Z',
      completedAt: null,
      deliverAt: null,
      channels: {},
      about: null,
      tags: { invoice: '7' },
      sandbox: false,
      broadcastId: null,
      escalation: null,
      revision: 0,
      position: '10',
    });
  });
  test('the operation goes from pending over retrying to succeeded', () => {
    expect(views.map((view) => operationOf(view)?.status)).toEqual([
      undefined,
      'pending',
      'sending',
      'retrying',
      'sending',
      'succeeded',
      'succeeded',
    ]);
    expect(operationOf(views[3])!.error).toEqual({ reason: null, stage: 'send', code: 451, message: failure.message });
  });
  test('attempts count claims', () => {
    expect(views.map((view) => operationOf(view)?.attempts)).toEqual([undefined, 0, 1, 1, 2, 2, 2]);
  });
  test('sent', () => {
    expect(views.at(-1)).toMatchObject({
      status: 'sent',
      reason: null,
      decision: decisionSample,
      completedAt: '2026-01-01T00:00:06.000Z',
      channels: {
        email: {
          status: 'sent',
          operations: [{ id: 'a', type: 'SendEmail', error: null, inDoubt: false, message: '/v1/emails/a/message' }],
        },
      },
      sandbox: true,
      revision: 2,
      position: '70',
    });
  });
});

describe('other ends', () => {
  test('failed', () => {
    const view = foldView(failing)!;
    expect(view).toMatchObject({ status: 'failed', reason: 'couldNotSend', channels: { email: { status: 'failed' } } });
    expect(operationOf(view)).toMatchObject({
      status: 'failed',
      attempts: 1,
      inDoubt: false,
      error: { reason: 'permanent', code: 451 },
    });
  });
  test('failed at the deadline, then a late outcome', () => {
    const atDeadline = foldView(late.slice(0, -1));
    expect(atDeadline).toMatchObject({ status: 'failed', reason: 'deadlineExceeded' });
    expect(operationOf(atDeadline)).toMatchObject({ status: 'failed', inDoubt: true, error: { reason: 'deadline' } });
    const view = foldView(late);
    expect(view).toMatchObject({
      status: 'failed',
      reason: 'deadlineExceeded',
      channels: { email: { status: 'sent' } },
    });
    expect(operationOf(view)).toMatchObject({ status: 'succeeded', inDoubt: false, error: null, late: true });
  });
  test('a success and a failure: in doubt, as the outcome says', () => {
    const outcome = { ...outcomeSample('a', 'permanent'), inDoubt: true };
    const end = { type: 'notification.failed.v1', data: { ...failed('couldNotSend', 'x').data, outcomes: [outcome] } };
    for (const both of [
      [mailSent, mailFailed],
      [mailFailed, mailSent],
    ]) {
      const view = foldView(recorded([requested, prepared, claimed(1), ...both, end]));
      expect(operationOf(view)).toMatchObject({ status: 'failed', inDoubt: true });
    }
  });
  test('failed without a usable channel: each says why', () => {
    expect(foldView(unusable)).toMatchObject({
      status: 'failed',
      reason: 'noUsableChannel',
      decision: decisionSample,
      channels: { email: { status: 'noAddress', operations: [] }, slack: { status: 'notAvailable', operations: [] } },
    });
  });
  test('opted out', () => {
    expect(foldView(optedOut)).toMatchObject({
      status: 'optedOut',
      channels: { email: { status: 'optedOut', reason: 'notChosen', operations: [] } },
    });
  });
  test('expired after its time was set', () => {
    expect(foldView(expired)).toMatchObject({
      status: 'expired',
      deliverAt: '2026-01-01T12:00:00.000Z',
      completedAt: '2026-01-01T00:00:02.000Z',
    });
  });
});

describe('on two channels', () => {
  const preparedOnBoth = { type: 'notification.prepared.v1', data: preparedOnBothSample('mail', 'message', 'file') };
  const posted = (key: string) => ({
    type: 'slack.sent.v1',
    key,
    data: { attempt: 1, receipt: { sandbox: false, ts: '1.0', detail: null, payload: null, file: null } },
  });
  const refused = (key: string) => ({
    type: 'slack.failed.v1',
    key,
    data: {
      attempt: 1,
      reason: 'permanent',
      failure: {
        stage: 'send',
        kind: 'permanent',
        code: 'channel_not_found',
        httpStatus: 200,
        doubtful: false,
        message: sealedSample('error'),
        response: null,
      },
    },
  });
  const mailed = { ...mailSent, key: 'mail' };

  test('pending: every operation of each, in the order of preference', () => {
    const view = foldView(recorded([requested, preparedOnBoth]))!;
    expect(Object.keys(view.channels)).toEqual(['slack', 'email']);
    expect(view.channels.slack).toMatchObject({
      status: 'pending',
      operations: [
        { id: 'message', type: 'SendSlackMessage', status: 'pending', to: sealedSample('address') },
        { id: 'file', type: 'UploadFileToSlack', status: 'pending', to: sealedSample('address') },
      ],
    });
    expect(view.channels.email).toMatchObject({ status: 'pending', operations: [{ id: 'mail', type: 'SendEmail' }] });
  });
  test('one is done, the other is under way', () => {
    const claimedMessage = { type: 'slack.claimed.v1', key: 'message', data: { attempt: 1, afterDoubt: false } };
    const view = foldView(recorded([requested, preparedOnBoth, mailed, claimedMessage]))!;
    expect(view.channels).toMatchObject({ email: { status: 'sent' }, slack: { status: 'pending' } });
    expect(view.channels.slack!.operations.map(({ status }) => status)).toEqual(['sending', 'pending']);
  });
  test('a channel that was delivered in part says what went out', () => {
    const view = foldView(recorded([requested, preparedOnBoth, posted('message'), refused('file'), mailed]))!;
    expect(view.channels).toMatchObject({
      email: { status: 'sent' },
      slack: {
        status: 'partiallySent',
        operations: [
          { status: 'succeeded', error: null, message: null },
          { status: 'failed', error: { reason: 'permanent', stage: 'send', code: 'channel_not_found' } },
        ],
      },
    });
  });
  test('it is the sandbox where one of them is', () => {
    expect(foldView(recorded([requested, preparedOnBoth, mailed, posted('message')]))!.sandbox).toBe(true);
    expect(foldView(recorded([requested, preparedOnBoth, posted('message')]))!.sandbox).toBe(false);
  });
  test('a channel that is not used says why, and a failure of preparing it is told', () => {
    const { operations, ...rest } = preparedSample('a');
    const failures = [sealedSample('error')];
    const couldNot = { channel: 'slack', outcome: 'couldNotPrepare', failures };
    const data = { ...rest, operations, channels: [couldNot, ...rest.channels] };
    expect(foldView(recorded([requested, { type: 'notification.prepared.v1', data }]))!.channels).toMatchObject({
      slack: { status: 'couldNotPrepare', failures, operations: [] },
      email: { status: 'pending', operations: [{ id: 'a' }] },
    });
    const discarded = { channel: 'email', outcome: 'discarded' };
    const stopped = {
      reason: 'couldNotPrepare',
      decision: decisionSample,
      channels: [couldNot, discarded],
      outcomes: [],
    };
    expect(foldView(recorded([requested, { type: 'notification.failed.v1', data: stopped }]))).toMatchObject({
      status: 'failed',
      reason: 'couldNotPrepare',
      channels: { slack: { status: 'couldNotPrepare', failures }, email: { status: 'discarded' } },
    });
  });
});

describe('for any history', () => {
  const history = fc.constantFrom(succeeding, failing, late, optedOut, unusable, expired);
  const prefix = history.chain((all) => fc.nat(all.length).map((length) => all.slice(0, length)));

  test('prefixes repeated in between change nothing', () => {
    const disturbed = prefix.chain((records) =>
      fc.array(fc.nat(records.length), { maxLength: 4 }).map((repeats) => {
        const all = [
          ...records.flatMap((_, end) => (repeats.includes(end) ? records.slice(0, end + 1) : records[end]!)),
        ];
        return { records, all: [...all, ...records] };
      }),
    );
    fc.assert(
      fc.property(disturbed, ({ records, all }) => {
        expect(foldView(all)).toEqual(foldView(records));
      }),
    );
  });

  test('an older record never changes a newer view', () => {
    fc.assert(
      fc.property(prefix, fc.nat(), (records, any) => {
        const view = foldView(records);
        fc.pre(view !== undefined);
        expect(project(view, records[any % records.length]!)).toBe(view);
      }),
    );
  });

  test('its status is the status of the aggregate', () => {
    fc.assert(
      fc.property(prefix, (records) => {
        const own = records.filter(({ stream }) => stream.startsWith('notification.'));
        const { status } = fold(notification, own as NotificationEvent[]);
        expect(foldView(records)?.status ?? 'none').toBe(status);
      }),
    );
  });
});
