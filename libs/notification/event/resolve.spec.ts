import { describe, expect, test } from '@jest/globals';
import { newId, timeOfId } from '#libs/kernel';
import type { Preferences, RecipientProfile, RecipientState } from '#libs/recipient';
import { sealedSample } from '#libs/testing/samples';
import type { SendNotification } from '../operations/client.js';
import { resolve, type ResolutionInput } from './resolve.js';

const address = sealedSample('address');
const operation: SendNotification = {
  recipientId: 'user-42',
  category: 'billing',
  severity: 'info',
  subject: sealedSample('subject'),
  content: { inline: sealedSample('content') },
  about: null,
  tags: {},
  deliverAt: null,
  expiresAt: null,
};
const cause = newId();

function known(channels: RecipientProfile['channels'], preferences: Preferences | null = null): RecipientState {
  const profile = { displayName: sealedSample('name'), locale: null, timeZone: null, channels, preferences };
  return { status: 'known', profile };
}

function resolved(recipient: RecipientState, more: Partial<ResolutionInput> = {}) {
  return resolve({
    cause,
    operation,
    recipient,
    recipientRevision: 3n,
    date: '2026-01-01T00:00:00.000Z',
    notAfter: '2026-01-02T00:00:00.000Z',
    sender: { address: 'office@example.org' },
    rules: { window: 1, policy: { default: 'atLeastOnce', once: 'atMostOnce' } },
    ...more,
  });
}

const decision = { recipientRevision: '3', preference: 'none', severity: 'info', category: 'billing' } as const;
const failed = (reason: string, of: typeof decision | null) => ({
  type: 'notification.failed.v1',
  data: { reason, decision: of, outcomes: [] },
});

describe('it fails', () => {
  test('for an unknown recipient', () => {
    expect(resolved({ status: 'unknown' })).toEqual(failed('unknownRecipient', null));
  });
  test('for an erased recipient', () => {
    expect(resolved({ status: 'erased', keyIds: ['k'] })).toEqual(failed('recipientErased', null));
  });
  test('without any address', () => {
    expect(resolved(known({}))).toEqual(failed('noUsableChannel', decision));
  });
  test('where the only address is of a channel that is not available', () => {
    expect(resolved(known({ slack: address }))).toEqual(failed('noUsableChannel', decision));
  });
  test('where the channel that is available was not chosen and the chosen one is not available', () => {
    const both = known({ email: address, slack: address }, { default: { channels: ['slack'] } });
    expect(resolved(both)).toEqual(failed('noUsableChannel', { ...decision, preference: 'default' } as never));
  });
});

describe('the recipient has opted out', () => {
  const optedOut = (preference: string, channels: unknown[]) => ({
    type: 'notification.opted-out.v1',
    data: { decision: { ...decision, preference }, channels },
  });
  const none: Preferences = { default: { channels: [] } };
  test('of all, by an empty list', () => {
    expect(resolved(known({ email: address }, none))).toEqual(
      optedOut('default', [{ channel: 'email', outcome: 'notChosen' }]),
    );
  });
  test('of all, by an empty list and without an address', () => {
    expect(resolved(known({}, none))).toEqual(optedOut('default', []));
  });
  test('of the category', () => {
    const preferences: Preferences = { default: { channels: ['email'] }, categories: { billing: { channels: [] } } };
    expect(resolved(known({ email: address }, preferences))).toEqual(
      optedOut('category', [{ channel: 'email', outcome: 'notChosen' }]),
    );
  });
  test('of what matters that little', () => {
    const preferences: Preferences = { default: { channels: ['email'], minSeverity: { email: 'error' } } };
    expect(resolved(known({ email: address }, preferences))).toEqual(
      optedOut('default', [{ channel: 'email', outcome: 'belowMinSeverity' }]),
    );
  });
});

describe('it prepares', () => {
  test('a complete mail', () => {
    const resolution = resolved(known({ email: address }));
    expect(resolution).toEqual({
      type: 'notification.prepared.v1',
      data: {
        decision,
        channels: [{ channel: 'email', outcome: 'prepared' }],
        operations: [
          {
            id: expect.any(String),
            channel: 'email',
            type: 'SendEmail',
            operation: {
              sender: { address: 'office@example.org' },
              to: [{ address, name: sealedSample('name') }],
              content: operation.content,
              date: '2026-01-01T00:00:00.000Z',
              notAfter: '2026-01-02T00:00:00.000Z',
              delivery: 'atLeastOnce',
            },
          },
        ],
        deadline: '2026-01-02T00:01:00.000Z',
      },
    });
  });
  test('on the channels that are available', () => {
    const resolution = resolved(known({ email: address, slack: address }));
    expect(resolution.type === 'notification.prepared.v1' && resolution.data.channels).toEqual([
      { channel: 'email', outcome: 'prepared' },
      { channel: 'slack', outcome: 'notAvailable' },
    ]);
  });
  test('under the delivery policy of the category', () => {
    const delivery = (category: string) => {
      const resolution = resolved(known({ email: address }), { operation: { ...operation, category } });
      return resolution.type === 'notification.prepared.v1' && resolution.data.operations[0]!.operation.delivery;
    };
    expect([delivery('once'), delivery('other'), delivery('constructor')]).toEqual([
      'atMostOnce',
      'atLeastOnce',
      'atLeastOnce',
    ]);
  });
  test('with ids that follow from the cause', () => {
    const id = (of: string) => {
      const resolution = resolved(known({ email: address }), { cause: of });
      return resolution.type === 'notification.prepared.v1' ? resolution.data.operations[0]!.id : '';
    };
    expect(id(cause)).toBe(id(cause));
    expect(id(cause)).not.toBe(id(newId()));
    expect(timeOfId(id(cause))).toBe(timeOfId(cause));
  });
  test('a deadline that RFC 3339 can say', () => {
    const resolution = resolved(known({ email: address }), { notAfter: '9999-12-31T23:59:59.000Z' });
    expect(resolution.type === 'notification.prepared.v1' && resolution.data.deadline).toBe('9999-12-31T23:59:59.999Z');
  });
});
