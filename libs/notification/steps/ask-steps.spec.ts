import { describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '#libs/store/port';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { askSteps } from './ask-steps.js';
import type { ChannelConfig, ChannelOperation, StepRequest, Steps } from './ports.js';
import { answer } from './step.js';

const vault = new Vault(new MemoryKeyStore());
const owner = 'recipient/user-42';
const to = await vault.sealFor(owner, 'address', 'ada@example.com');
const controller = new AbortController();

async function requestOf(ownedBy = owner): Promise<StepRequest> {
  return {
    notificationId: 'n',
    operation: {
      recipientId: 'user-42',
      category: 'billing',
      severity: 'info',
      subject: await vault.sealFor(ownedBy, 'subject', 'Invoice 7'),
      content: {},
      about: null,
      tags: {},
      deliverAt: null,
      expiresAt: null,
    },
    date: '2026-01-01T00:00:00.000Z',
    notAfter: '2026-01-02T00:00:00.000Z',
    delivery: 'atLeastOnce',
    signal: controller.signal,
    recipient: () => Promise.reject(new Error('nobody looks')),
  };
}

const both: readonly ChannelConfig[] = [
  { channel: 'email', to },
  { channel: 'slack', to },
];
const operation = { channel: 'email', type: 'SendEmail', operation: {} } as ChannelOperation;

interface Asked {
  readonly audience?: () => unknown;
  readonly channels?: () => unknown;
  readonly prepare?: (channel: string) => unknown;
}

async function asking(asked: Asked, request?: StepRequest) {
  const calls: string[] = [];
  const called = (name: string, make: () => unknown) => {
    calls.push(name);
    return Promise.resolve().then(make);
  };
  const source = 'tidings' as const;
  const steps = {
    audience: { source, resolveAudience: () => called('audience', asked.audience ?? (() => answer({}))) },
    channels: { source, resolveChannels: () => called('channels', asked.channels ?? (() => answer(both))) },
    prepare: {
      source,
      prepare: (_: unknown, __: unknown, { channel }: ChannelConfig) =>
        called(`prepare ${channel}`, () => (asked.prepare ?? (() => answer([operation])))(channel)),
    },
  } as unknown as Steps;
  const answers = await askSteps(steps, vault, request ?? (await requestOf()));
  return { answers: await vault.openDeep(answers), calls };
}

const throwing = (message: string) => () => {
  throw new Error(message);
};

test('the steps are asked in order, and each wanted channel is prepared', async () => {
  const { answers, calls } = await asking({});
  expect(calls).toEqual(['audience', 'channels', 'prepare email', 'prepare slack']);
  expect([...answers.prepared]).toEqual([
    ['email', answer([operation])],
    ['slack', answer([operation])],
  ]);
});

test('a channel without an address, or that is not wanted, is not prepared', async () => {
  const configs = [
    { channel: 'email', to: null },
    { channel: 'slack', to, optedOut: 'notChosen' },
  ];
  const { calls } = await asking({ channels: () => answer(configs) });
  expect(calls).toEqual(['audience', 'channels']);
});

describe('what throws, or gives null, is one failure with the text', () => {
  test.each([
    ['a throw', throwing('no such host'), 'no such host'],
    ['null', () => null, 'the step gave no answer'],
  ])('audience: %s, and nothing more is asked', async (_, audience, text) => {
    const { answers, calls } = await asking({ audience });
    expect(answers.audience).toEqual({ payload: null, failures: [text], ifFailed: 'stop' });
    expect(answers.channels).toBeNull();
    expect(calls).toEqual(['audience']);
  });
  test.each([
    ['a throw', throwing('no such host'), 'no such host'],
    ['null', () => null, 'the step gave no answer'],
  ])('channels: %s, and nothing is prepared', async (_, channels, text) => {
    const { answers, calls } = await asking({ channels });
    expect(answers.channels).toEqual({ payload: null, failures: [text], ifFailed: 'stop' });
    expect(calls).toEqual(['audience', 'channels']);
  });
  test('prepare: it is the failure of that channel alone', async () => {
    const prepare = (channel: string) => (channel === 'slack' ? throwing('too long')() : answer([operation]));
    const { answers } = await asking({ prepare });
    expect(await vault.openDeep(answers.prepared.get('slack'))).toEqual({
      payload: null,
      failures: ['too long'],
      ifFailed: 'stop',
    });
    expect(answers.prepared.get('email')).toEqual(answer([operation]));
  });
});

test('a channel that is named twice: a failure that says so, and the configs are not used', async () => {
  const { answers, calls } = await asking({
    channels: () => ({ ...answer([...both, both[0]]), failures: [], ifFailed: 'proceed' }),
  });
  expect(answers.channels).toMatchObject({
    failures: ['the channel email is named more than once'],
    ifFailed: 'stop',
  });
  expect(calls).toEqual(['audience', 'channels']);
});

describe('what is no answer', () => {
  test('the store being away: the notification is taken up again', async () => {
    const away = () => Promise.reject(new StoreUnavailable('away'));
    await expect(asking({ channels: away })).rejects.toThrow(StoreUnavailable);
  });
  test('the process stopping: the same', async () => {
    const stopping = new AbortController();
    const audience = () => {
      stopping.abort();
      throw new Error('aborted');
    };
    const request = { ...(await requestOf()), signal: stopping.signal };
    await expect(asking({ audience }, request)).rejects.toThrow('aborted');
  });
  test('the recipient erased: that is the reason', async () => {
    const request = await requestOf('recipient/user-43');
    await vault.destroy(await vault.keyIdsOf('recipient/user-43'));
    const { answers } = await asking({ audience: throwing('canary') }, request);
    expect(answers.audience).toEqual({ payload: null, failures: [], ifFailed: 'stop', reason: 'recipientErased' });
  });
});
