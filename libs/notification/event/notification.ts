import { defineStream, type Decider, type MessageOf } from '#libs/kernel';
import type { Channel } from '#libs/recipient';
import { schemaOf } from '#libs/validation';
import {
  InternalTeamNotified,
  NotificationCancelled,
  NotificationExpired,
  NotificationFailed,
  NotificationOptedOut,
  NotificationPartiallySent,
  NotificationPrepared,
  NotificationRequested,
  NotificationScheduled,
  NotificationSent,
  type Decision,
  type OperationOutcome,
} from './contents.js';

// 1. Stream: one a notification, under its tracking id.

export const notificationEvents = defineStream('notification', 'event', {
  'notification.requested.v1': schemaOf(NotificationRequested),
  'notification.scheduled.v1': schemaOf(NotificationScheduled),
  'notification.prepared.v1': schemaOf(NotificationPrepared),
  'notification.sent.v1': schemaOf(NotificationSent),
  'notification.partially-sent.v1': schemaOf(NotificationPartiallySent),
  'notification.failed.v1': schemaOf(NotificationFailed),
  'notification.opted-out.v1': schemaOf(NotificationOptedOut),
  'notification.expired.v1': schemaOf(NotificationExpired),
  'notification.cancelled.v1': schemaOf(NotificationCancelled),
  'notification.internal-team-notified.v1': schemaOf(InternalTeamNotified),
});
export type NotificationEvent = MessageOf<typeof notificationEvents>;

// 2. State.

export const notificationStatuses = [
  'requested',
  'scheduled',
  'sending',
  'sent',
  'partiallySent',
  'failed',
  'optedOut',
  'cancelled',
  'expired',
] as const;
export type NotificationStatus = (typeof notificationStatuses)[number];

export interface NotificationState {
  readonly status: NotificationStatus | 'none';
  readonly requested: NotificationRequested | null;
  /** What decided whom to tell and how. */
  readonly decision: Decision | null;
  /** What was asked of the channels, without what it says: that stands in the event. */
  readonly operations: readonly { readonly id: string; readonly channel: Channel }[];
  readonly outcomes: readonly OperationOutcome[];
  /** Where the team is told that it failed, or that a mail of it came back. */
  readonly escalation: InternalTeamNotified | null;
}

const terminal: ReadonlySet<NotificationStatus | 'none'> = new Set([
  'sent',
  'partiallySent',
  'failed',
  'optedOut',
  'cancelled',
  'expired',
] as const);

/** True when nothing more will become of it. */
export function isTerminal(status: NotificationStatus | 'none'): boolean {
  return terminal.has(status);
}

// 3. Commands.

/** What resolving the recipient, the channels and the messages came to. */
export type Resolution =
  | { readonly type: 'notification.prepared.v1'; readonly data: NotificationPrepared }
  | { readonly type: 'notification.opted-out.v1'; readonly data: NotificationOptedOut }
  | { readonly type: 'notification.failed.v1'; readonly data: NotificationFailed };

export type NotificationCommand =
  | { readonly type: 'request'; readonly requested: NotificationRequested }
  | { readonly type: 'schedule'; readonly deliverAt: string }
  | { readonly type: 'resolve'; readonly resolution: Resolution }
  | { readonly type: 'expire' }
  /** Nothing is asked of the channels yet; of what is, each operation is cancelled by itself, and `complete` follows. */
  | { readonly type: 'cancel' }
  /** Every operation has an outcome, or the time for it is over. */
  | { readonly type: 'complete'; readonly outcomes: readonly OperationOutcome[] }
  /** A mail to the team tells of it: it failed, or a mail came back. */
  | { readonly type: 'escalate'; readonly escalation: InternalTeamNotified };

// 4. Decisions. A command that has been decided before decides nothing: handlers repeat themselves.

export const notification: Decider<NotificationState, NotificationCommand, NotificationEvent> = {
  initial: () => ({ status: 'none', requested: null, decision: null, operations: [], outcomes: [], escalation: null }),

  evolve(state, event) {
    switch (event.type) {
      case 'notification.requested.v1':
        return { ...state, status: 'requested', requested: event.data };
      case 'notification.scheduled.v1':
        return { ...state, status: 'scheduled' };
      case 'notification.prepared.v1':
        return {
          ...state,
          status: 'sending',
          decision: event.data.decision,
          operations: event.data.operations.map(({ id, channel }) => ({ id, channel })),
        };
      case 'notification.sent.v1':
        return { ...state, status: 'sent', outcomes: event.data.outcomes };
      case 'notification.partially-sent.v1':
        return { ...state, status: 'partiallySent', outcomes: event.data.outcomes };
      case 'notification.failed.v1':
        return {
          ...state,
          status: 'failed',
          decision: event.data.decision ?? state.decision,
          outcomes: event.data.outcomes,
        };
      case 'notification.opted-out.v1':
        return { ...state, status: 'optedOut', decision: event.data.decision };
      case 'notification.expired.v1':
        return { ...state, status: 'expired', outcomes: event.data.outcomes };
      case 'notification.cancelled.v1':
        return { ...state, status: 'cancelled', outcomes: event.data.outcomes };
      case 'notification.internal-team-notified.v1':
        return { ...state, escalation: event.data };
    }
  },

  decide(state, command) {
    const { status } = state;
    switch (command.type) {
      case 'request':
        return status === 'none' ? [{ type: 'notification.requested.v1', data: command.requested }] : [];
      case 'schedule':
        return status === 'requested'
          ? [{ type: 'notification.scheduled.v1', data: { deliverAt: command.deliverAt } }]
          : [];
      case 'resolve':
        return status === 'requested' || status === 'scheduled' ? [command.resolution] : [];
      case 'expire':
        return status === 'requested' || status === 'scheduled' ? [expired(state, [])] : [];
      case 'cancel':
        return status === 'requested' || status === 'scheduled' ? [cancelled([])] : [];
      case 'complete':
        return status === 'sending' ? [conclude(state, command.outcomes)] : [];
      case 'escalate':
        // A mail that was sent may come back at any time.
        return (status === 'failed' || state.operations.length > 0) && state.escalation === null
          ? [{ type: 'notification.internal-team-notified.v1', data: command.escalation }]
          : [];
    }
  },
};

function expired({ requested }: NotificationState, outcomes: readonly OperationOutcome[]): NotificationEvent {
  return { type: 'notification.expired.v1', data: { notAfter: requested!.notAfter, outcomes: [...outcomes] } };
}

function cancelled(outcomes: readonly OperationOutcome[]): NotificationEvent {
  return { type: 'notification.cancelled.v1', data: { outcomes: [...outcomes] } };
}

/** True where some of it did not go out, and for no other reason than that it was cancelled. */
export function isOnlyCancelled(outcomes: readonly OperationOutcome[]): boolean {
  const failed = outcomes.filter(({ status }) => status === 'failed');
  return failed.length > 0 && failed.every(({ reason }) => reason === 'cancelled');
}

/** A channel is delivered when all of its operations are. What was cancelled says nothing of why the others failed. */
function conclude(state: NotificationState, given: readonly OperationOutcome[]): NotificationEvent {
  const outcomes = [...given];
  const isSent = ({ status }: OperationOutcome) => status === 'succeeded';
  if (outcomes.every(isSent)) return { type: 'notification.sent.v1', data: { outcomes } };
  const channels = new Set(outcomes.map(({ channel }) => channel));
  const delivered = [...channels].some((channel) => outcomes.filter((one) => one.channel === channel).every(isSent));
  const wasCutShort = isOnlyCancelled(outcomes) && outcomes.some(isSent);
  if (delivered || wasCutShort) return { type: 'notification.partially-sent.v1', data: { outcomes } };
  const failed = outcomes.filter(({ reason }) => reason !== 'cancelled');
  if (failed.length === 0) return cancelled(outcomes);
  if (failed.every(({ reason }) => reason === 'expired')) return expired(state, outcomes);
  const reason = failed.every((one) => one.reason === 'recipientErased')
    ? 'recipientErased'
    : failed.some((one) => one.reason === 'deadline')
      ? 'deadlineExceeded'
      : 'couldNotSend';
  return { type: 'notification.failed.v1', data: { reason, decision: state.decision, outcomes } };
}
