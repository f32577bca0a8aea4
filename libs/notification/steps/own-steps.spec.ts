import { describe, expect, test } from '@jest/globals';
import { InvalidRecord } from '#libs/kernel';
import type { Preferences, RecipientProfile, RecipientState } from '#libs/recipient';
import { sealedSample } from '#libs/testing/samples';
import type { SendNotification } from '../operations/client.js';
import { ownSteps } from './own-steps.js';
import type { ChannelConfig, ReachableChannel, StepRequest } from './ports.js';
import { answer } from './step.js';

const mail = sealedSample('mail');
const slack = sealedSample('slack');
const sender = { address: 'office@example.org' };
const { audience, channels, prepare } = ownSteps(sender);

function known(addresses: RecipientProfile['channels'], preferences: Preferences | null = null): RecipientState {
  const profile = { displayName: sealedSample('name'), locale: null, timeZone: null, channels: addresses, preferences };
  return { status: 'known', profile };
}

function requestFor(state: RecipientState, more: Partial<SendNotification> = {}): StepRequest {
  return {
    notificationId: 'n',
    operation: {
      recipientId: 'user-42',
      category: 'billing',
      severity: 'info',
      subject: sealedSample('subject'),
      content: { inline: sealedSample('content') },
      about: null,
      tags: {},
      deliverAt: null,
      expiresAt: null,
      ...more,
    },
    date: '2026-01-01T00:00:00.000Z',
    notAfter: '2026-01-02T00:00:00.000Z',
    delivery: 'atMostOnce',
    signal: new AbortController().signal,
    recipient: () => Promise.resolve({ state, revision: 3n }),
  };
}

test('an address that mail came back from is not used, and says why', async () => {
  const undeliverable = { at: '2026-01-01T00:00:00.000Z', status: '5.1.1' };
  const bounced: ChannelConfig = { channel: 'email', to: null, unusable: 'addressBounced' };
  const resolved = async (addresses: RecipientProfile['channels']) => {
    const state = { ...known(addresses), undeliverable } as RecipientState;
    return (await channels.resolveChannels(requestFor(state), { displayName: null })).payload;
  };
  expect(await resolved({ email: mail, slack })).toEqual([bounced, { channel: 'slack', to: slack }]);
  expect(await resolved({ email: mail })).toEqual([bounced, { channel: 'slack', to: null }]);
});

describe('the audience', () => {
  test('is the recipient', async () => {
    expect(await audience.resolveAudience(requestFor(known({})))).toEqual(
      answer({ displayName: sealedSample('name') }),
    );
  });
  const place = { stream: 'recipient.event-user-42', revision: 3n, type: 'recipient.put.v1' };
  test.each<[string, RecipientState, object]>([
    ['unknown', { status: 'unknown' }, { reason: 'unknownRecipient' }],
    ['erased', { status: 'erased', keyIds: ['k'] }, { reason: 'recipientErased' }],
    [
      'unreadable',
      { status: 'unreadable', error: new InvalidRecord(place, ['canary']), keyIds: [] },
      { reason: 'recipientUnreadable', error: 'revision 3 of recipient.event-user-42 cannot be read' },
    ],
  ])('is nobody, for a recipient who is %s', async (_, state, reason) => {
    const nobody = { payload: null, failures: [], ifFailed: 'stop', ...reason };
    expect(await audience.resolveAudience(requestFor(state))).toEqual(nobody);
    expect(await channels.resolveChannels(requestFor(state), { displayName: null })).toEqual(nobody);
  });
});

describe('the channels', () => {
  test.each<[string, RecipientState, string, ChannelConfig[]]>([
    [
      'without a preference, all that have an address',
      known({ email: mail, slack }),
      'none',
      [
        { channel: 'email', to: mail },
        { channel: 'slack', to: slack },
      ],
    ],
    ['and only those', known({ slack }), 'none', [{ channel: 'slack', to: slack }]],
    [
      'without any address, all',
      known({}, { default: { channels: ['email'] } }),
      'default',
      [
        { channel: 'email', to: null },
        { channel: 'slack', to: null, optedOut: 'notChosen' },
      ],
    ],
    [
      'in the order of preference',
      known({ email: mail, slack }, { default: { channels: ['slack', 'email'] } }),
      'default',
      [
        { channel: 'slack', to: slack },
        { channel: 'email', to: mail },
      ],
    ],
    [
      'the preference of the category before the default one',
      known({ email: mail }, { default: { channels: ['email'] }, categories: { billing: { channels: [] } } }),
      'category',
      [{ channel: 'email', to: mail, optedOut: 'notChosen' }],
    ],
    [
      'below the least severity',
      known({ email: mail, slack }, { default: { channels: ['email', 'slack'], minSeverity: { email: 'error' } } }),
      'default',
      [
        { channel: 'email', to: mail, optedOut: 'belowMinSeverity' },
        { channel: 'slack', to: slack },
      ],
    ],
  ])('%s', async (_, state, preference, expected) => {
    const given = await channels.resolveChannels(requestFor(state), { displayName: null });
    expect(given).toEqual({ ...answer(expected), preference });
  });
});

describe('preparing', () => {
  const prepared = async (channel: ReachableChannel, attachments?: number) => {
    const request = requestFor(known({}), attachments === undefined ? {} : { attachments });
    return (await prepare.prepare(request, { displayName: sealedSample('name') }, channel)).payload;
  };
  const content = { inline: sealedSample('content') };
  const limits = { notAfter: '2026-01-02T00:00:00.000Z', delivery: 'atMostOnce' };

  test('a mail, complete and with all attachments', async () => {
    const to = [{ address: mail, name: sealedSample('name') }];
    const operation = { sender, to, content, date: '2026-01-01T00:00:00.000Z', ...limits };
    expect(await prepared({ channel: 'email', to: mail }, 2)).toEqual([
      { channel: 'email', type: 'SendEmail', operation },
    ]);
  });
  test('a Slack message, and then an upload for each attachment', async () => {
    const operation = { channel: slack, content, ...limits };
    const message = { channel: 'slack', type: 'SendSlackMessage', operation };
    const upload = (attachment: number) => {
      return { channel: 'slack', type: 'UploadFileToSlack', operation: { ...operation, attachment } };
    };
    expect(await prepared({ channel: 'slack', to: slack })).toEqual([message]);
    expect(await prepared({ channel: 'slack', to: slack }, 2)).toEqual([message, upload(0), upload(1)]);
  });
});
