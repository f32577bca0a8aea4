import { describe, expect, test } from '@jest/globals';
import { newId, timeOfId } from '#libs/kernel';
import type { Channel } from '#libs/recipient';
import { preparedOnBothSample, sealedSample } from '#libs/testing/samples';
import type { StepAnswers } from '../steps/ask-steps.js';
import type { ChannelConfig, ChannelOperation } from '../steps/ports.js';
import { answer, type StepAnswer } from '../steps/step.js';
import type { ChannelOutcome } from './contents.js';
import { resolve, type ResolutionInput } from './resolve.js';

const failure = sealedSample('error');
const to = sealedSample('address');
const cause = newId();
const [message, upload, mail] = preparedOnBothSample('', '', '').operations.map(
  ({ id: _, ...operation }) => operation,
) as [ChannelOperation, ChannelOperation, ChannelOperation];

const nothing = { payload: null, failures: [], ifFailed: 'stop' } as const;
const failed = { ...nothing, failures: [failure] };
const audience = answer({ displayName: null });
const both: ChannelConfig[] = [
  { channel: 'email', to },
  { channel: 'slack', to },
];
const allPrepared: Record<Channel, StepAnswer<readonly ChannelOperation[]>> = {
  email: answer([mail]),
  slack: answer([message, upload]),
};

interface Given {
  readonly audience?: StepAnswers['audience'];
  readonly channels?: StepAnswers['channels'];
  readonly prepared?: Partial<typeof allPrepared>;
}

function resolved(given: Given, more: Partial<ResolutionInput> = {}) {
  const { channels = { ...answer(both), preference: 'default' } } = given;
  return resolve({
    cause,
    operation: { severity: 'info', category: 'billing' },
    recipientRevision: '3',
    answers: {
      audience: given.audience ?? audience,
      channels,
      prepared: new Map(Object.entries(given.prepared ?? allPrepared) as [Channel, (typeof allPrepared)[Channel]][]),
    },
    sources: { audience: 'tidings', channels: 'tidings', prepare: 'tidings' },
    notAfter: '2026-01-02T00:00:00.000Z',
    onChannelFailure: 'continue',
    ...more,
  });
}

const decision = { recipientRevision: '3', preference: 'default', severity: 'info', category: 'billing' } as const;
const step = (name: string) => ({ step: name, source: 'tidings', failures: [failure] });
const failedBecause = (reason: string, more: object = {}) => ({
  type: 'notification.failed.v1',
  data: { reason, decision, outcomes: [], ...more },
});

describe('the audience', () => {
  const resolvedFor = (given: StepAnswers['audience']) => resolved({ audience: given, channels: null, prepared: {} });
  const before = { ...decision, preference: null };
  test('none, no failures: could not get it', () => {
    expect(resolvedFor(nothing)).toEqual(failedBecause('couldNotGetAudience', { decision: before }));
  });
  test('none, failures: could not get it, and they are told', () => {
    const told = { decision: { ...before, steps: [step('audience')] } };
    expect(resolvedFor(failed)).toEqual(failedBecause('couldNotGetAudience', told));
  });
  test('there, failures, stop: could not use it', () => {
    const told = { decision: { ...before, steps: [step('audience')] } };
    expect(resolvedFor({ ...audience, failures: [failure] })).toEqual(failedBecause('couldNotUseAudience', told));
  });
  test('there, failures, proceed: prepared, and they are told', () => {
    expect(resolved({ audience: { ...audience, failures: [failure], ifFailed: 'proceed' } })).toMatchObject({
      type: 'notification.prepared.v1',
      data: { decision: { ...decision, steps: [step('audience')] } },
    });
  });
  test.each(['unknownRecipient', 'recipientErased', 'recipientUnreadable'] as const)('%s says more', (reason) => {
    expect(resolvedFor({ ...nothing, reason })).toEqual(failedBecause(reason, { decision: before }));
  });
  test('an error without personal data is told as it is', () => {
    const given = { ...nothing, reason: 'recipientUnreadable', error: 'revision 3 cannot be read' } as const;
    expect(resolvedFor(given).data).toMatchObject({ error: 'revision 3 cannot be read' });
  });
});

describe('the channel configs', () => {
  const resolvedWith = (given: StepAnswers['channels']) => resolved({ channels: given, prepared: {} });
  const before = { ...decision, preference: null };
  test.each([
    ['none', nothing],
    ['an empty list', answer([])],
  ])('%s, no failures: could not get them', (_, given) => {
    expect(resolvedWith(given)).toEqual(failedBecause('couldNotGetChannelConfigs', { decision: before }));
  });
  test('none, failures: could not get them, and they are told', () => {
    const told = { decision: { ...before, steps: [step('channels')] } };
    expect(resolvedWith(failed)).toEqual(failedBecause('couldNotGetChannelConfigs', told));
  });
  test('there, failures, stop: could not use them, with the failures of the audience before them', () => {
    const given = { ...answer(both), failures: [failure] };
    const ignored = { ...audience, failures: [failure], ifFailed: 'proceed' } as const;
    expect(resolved({ audience: ignored, channels: given, prepared: {} })).toEqual(
      failedBecause('couldNotUseChannelConfigs', {
        decision: { ...before, steps: [step('audience'), step('channels')] },
      }),
    );
  });
  test('there, failures, proceed: prepared, and they are told', () => {
    expect(resolved({ channels: { ...answer(both), failures: [failure], ifFailed: 'proceed' } })).toMatchObject({
      type: 'notification.prepared.v1',
      data: { decision: { steps: [step('channels')] } },
    });
  });
});

describe('who wants to be told, and can be', () => {
  const outcomes = (channels: readonly [Channel, ChannelOutcome][]) =>
    channels.map(([channel, outcome]) => ({ channel, outcome }));
  const configs = (...channels: readonly ChannelConfig[]): Given => ({
    channels: { ...answer(channels), preference: 'default' },
    prepared: Object.fromEntries(
      channels
        .filter((one) => one.to !== null && one.optedOut === undefined)
        .map(({ channel }) => [channel, allPrepared[channel]]),
    ),
  });
  test('opted out of all', () => {
    const given = configs(
      { channel: 'slack', to, optedOut: 'notChosen' },
      { channel: 'email', to: null, optedOut: 'belowMinSeverity' },
    );
    const channels = outcomes([
      ['slack', 'notChosen'],
      ['email', 'belowMinSeverity'],
    ]);
    expect(resolved(given)).toEqual({ type: 'notification.opted-out.v1', data: { decision, channels } });
  });
  test('no address anywhere', () => {
    const given = configs({ channel: 'email', to: null }, { channel: 'slack', to: null, optedOut: 'notChosen' });
    const channels = outcomes([
      ['email', 'noAddress'],
      ['slack', 'notChosen'],
    ]);
    expect(resolved(given)).toEqual(failedBecause('noUsableChannel', { channels }));
  });
  test('one opted out, one prepared: prepared on all that was attempted, in the order of preference', () => {
    const given = configs({ channel: 'slack', to }, { channel: 'email', to, optedOut: 'notChosen' });
    expect(resolved(given)).toMatchObject({
      type: 'notification.prepared.v1',
      data: {
        channels: outcomes([
          ['slack', 'prepared'],
          ['email', 'notChosen'],
        ]),
        operations: [{ type: 'SendSlackMessage' }, { type: 'UploadFileToSlack' }],
      },
    });
  });
});

describe('preparing', () => {
  test('on all channels: every operation, with an id of its own, in order', () => {
    const resolution = resolved({});
    expect(resolution).toEqual({
      type: 'notification.prepared.v1',
      data: {
        decision,
        channels: [
          { channel: 'email', outcome: 'prepared' },
          { channel: 'slack', outcome: 'prepared' },
        ],
        operations: [mail, message, upload].map((one) => ({ ...one, id: expect.any(String) })),
        deadline: '2026-01-02T00:01:00.000Z',
      },
    });
    const { operations } = resolution.data as { readonly operations: readonly { readonly id: string }[] };
    expect(new Set(operations.map(({ id }) => id)).size).toBe(3);
    expect(operations.map(({ id }) => timeOfId(id))).toEqual(Array(3).fill(timeOfId(cause)));
    expect(resolved({})).toEqual(resolution);
    expect(resolved({}, { cause: newId() })).not.toEqual(resolution);
  });
  test('with failures to be ignored: the channel is prepared, and they are told', () => {
    const given = {
      ...allPrepared,
      slack: { ...answer([message]), failures: [failure], ifFailed: 'proceed' } as const,
    };
    expect(resolved({ prepared: given })).toMatchObject({
      type: 'notification.prepared.v1',
      data: {
        channels: [
          { channel: 'email', outcome: 'prepared' },
          { channel: 'slack', outcome: 'prepared', failures: [failure] },
        ],
        operations: [mail, message],
      },
    });
  });
  test.each([
    ['nothing', nothing, undefined],
    ['no operations', answer([]), undefined],
    ['a failure', failed, [failure]],
    ['operations and a failure, stop', { ...answer([message]), failures: [failure] }, [failure]],
  ])('%s on one channel: continue sends on the other, stop sends on none', (_, slack, failures) => {
    const given = { prepared: { ...allPrepared, slack } };
    const couldNot = { channel: 'slack', outcome: 'couldNotPrepare', ...(failures && { failures }) };
    expect(resolved(given)).toMatchObject({
      type: 'notification.prepared.v1',
      data: { channels: [{ channel: 'email', outcome: 'prepared' }, couldNot], operations: [mail] },
    });
    expect(resolved(given, { onChannelFailure: 'stop' })).toEqual(
      failedBecause('couldNotPrepare', { channels: [{ channel: 'email', outcome: 'discarded' }, couldNot] }),
    );
  });
  test.each(['continue', 'stop'] as const)('on no channel (%s): could not prepare', (onChannelFailure) => {
    const channels = ['email', 'slack'].map((channel) => ({
      channel,
      outcome: 'couldNotPrepare',
      failures: [failure],
    }));
    expect(resolved({ prepared: { email: failed, slack: failed } }, { onChannelFailure })).toEqual(
      failedBecause('couldNotPrepare', { channels }),
    );
  });
  test('with the recipient erased meanwhile: that is the reason', () => {
    const erased = { ...nothing, reason: 'recipientErased' } as const;
    expect(resolved({ prepared: { email: erased, slack: erased } }).data).toMatchObject({ reason: 'recipientErased' });
  });
  test('a deadline that RFC 3339 can say', () => {
    expect(resolved({}, { notAfter: '9999-12-31T23:59:59.000Z' }).data).toMatchObject({
      deadline: '9999-12-31T23:59:59.999Z',
    });
  });
});

test('every step that somebody else has answered is told', () => {
  const { data } = resolved({}, { sources: { audience: 'directory', channels: 'tidings', prepare: 'directory' } });
  expect(data).toMatchObject({
    decision: {
      steps: [
        { step: 'audience', source: 'directory', failures: [] },
        { step: 'prepare', source: 'directory', failures: [] },
      ],
    },
  });
});
