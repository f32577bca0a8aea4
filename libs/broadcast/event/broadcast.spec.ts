import { test } from '@jest/globals';
import { given } from '#libs/testing';
import type { Sealed } from '#libs/vault';
import { broadcast, type BroadcastCommand, type BroadcastEvent, type BroadcastFailure } from './broadcast.js';

const message = {
  category: 'general',
  severity: 'info',
  subject: 'sealed.v1.key.subject.x' as Sealed,
  about: null,
  tags: {},
  notAfter: '2026-01-01T00:00:00.000Z',
} as const;

const request = (to: BroadcastCommand['to']): BroadcastCommand => ({ type: 'request', message, to });
const requested = (recipients: number, groupId: string | null, groupRevision: string | null): BroadcastEvent => ({
  type: 'broadcast.requested.v1',
  data: { ...message, recipients, groupId, groupRevision },
});
const failed = (reason: BroadcastFailure): BroadcastEvent => ({ type: 'broadcast.failed.v1', data: { reason } });

test('to named recipients', () => {
  given(broadcast)
    .when(request({ recipientIds: ['ada', 'bo'] }))
    .then(requested(2, null, null));
});
test('to a group: its revision says who is told', () => {
  given(broadcast)
    .when(request({ groupId: 'board', found: { revision: 7n, count: 3 } }))
    .then(requested(3, 'board', '7'));
});
test('to an unknown group fails', () => {
  given(broadcast)
    .when(request({ groupId: 'board', found: undefined }))
    .then(requested(0, 'board', null), failed('unknownGroup'));
});
test('to an empty group fails', () => {
  given(broadcast)
    .when(request({ groupId: 'board', found: { revision: 7n, count: 0 } }))
    .then(requested(0, 'board', '7'), failed('emptyGroup'));
});
test('is decided once, whatever becomes of the group', () => {
  given(broadcast, requested(3, 'board', '7'))
    .when(request({ groupId: 'board', found: { revision: 8n, count: 4 } }))
    .then();
  given(broadcast, requested(0, 'board', null), failed('unknownGroup'))
    .when(request({ groupId: 'board', found: { revision: 0n, count: 1 } }))
    .then();
});
