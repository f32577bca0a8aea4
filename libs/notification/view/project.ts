import { keyOf, type RecordOf } from '#libs/kernel';
import { isChannelEvent, type ChannelEvent } from '../channels.js';
import { memberOf } from '../event/broadcast-member.js';
import { isOnlyCancelled, type notificationEvents, type NotificationStatus } from '../event/notification.js';
import { afterChannelEvent, afterOutcomes, afterPreparing, deliveryOf } from './channel-views.js';
import { isFinal, type NotificationView } from './notification-view.js';

/** What the view is made from. */
export type ViewSource = RecordOf<typeof notificationEvents> | ChannelEvent;

/**
 * The view after one more record; undefined while nothing is known of the notification. A record that the view shows
 * already changes nothing.
 */
export function project(view: NotificationView | undefined, record: ViewSource): NotificationView | undefined {
  if (view !== undefined && record.position <= BigInt(view.position)) return view;
  const at = new Date(record.created).toISOString();
  const position = String(record.position);
  if (isChannelEvent(record)) return view && { ...withChannelEvent(view, record, at), position };
  if (record.type === 'notification.requested.v1') return requested(record, at);
  return view && { ...withEvent(view, record, at), revision: Number(record.revision), position };
}

type OwnEvent = RecordOf<typeof notificationEvents>;

function requested(record: Extract<OwnEvent, { type: 'notification.requested.v1' }>, at: string): NotificationView {
  const { recipientId, category, severity, subject, about, tags } = record.data;
  return {
    id: keyOf(record.stream),
    recipientId,
    category,
    severity,
    subject,
    status: 'requested',
    reason: null,
    decision: null,
    requestedAt: at,
    completedAt: null,
    deliverAt: null,
    channels: {},
    about,
    tags,
    sandbox: false,
    broadcastId: memberOf(record)?.broadcastId ?? null,
    escalation: null,
    revision: Number(record.revision),
    position: String(record.position),
  };
}

function withEvent(
  view: NotificationView,
  { type, data }: Exclude<OwnEvent, { type: 'notification.requested.v1' }>,
  at: string,
): NotificationView {
  switch (type) {
    case 'notification.scheduled.v1':
      return { ...view, status: 'scheduled', deliverAt: data.deliverAt };
    case 'notification.prepared.v1': {
      const channels = afterPreparing(data.channels, data.operations, at);
      return { ...view, status: 'sending', decision: data.decision, channels };
    }
    case 'notification.opted-out.v1': {
      const channels = afterPreparing(data.channels, [], at);
      return { ...complete(view, at, 'optedOut', 'optedOut'), decision: data.decision, channels };
    }
    case 'notification.sent.v1':
      return { ...complete(view, at, 'sent', null), channels: afterOutcomes(view.channels, data.outcomes, at) };
    case 'notification.partially-sent.v1': {
      const channels = afterOutcomes(view.channels, data.outcomes, at);
      const reason = isOnlyCancelled(data.outcomes) ? 'cancelled' : 'couldNotSendOnAllChannels';
      return { ...complete(view, at, 'partiallySent', reason), channels };
    }
    case 'notification.failed.v1': {
      const decision = data.decision ?? view.decision;
      const before = data.channels ? afterPreparing(data.channels, [], at) : view.channels;
      const channels = afterOutcomes(before, data.outcomes, at);
      return { ...complete(view, at, 'failed', data.reason), decision, channels };
    }
    case 'notification.expired.v1':
      return { ...complete(view, at, 'expired', 'expired'), channels: afterOutcomes(view.channels, data.outcomes, at) };
    case 'notification.cancelled.v1': {
      const channels = afterOutcomes(view.channels, data.outcomes, at);
      return { ...complete(view, at, 'cancelled', 'cancelled'), channels };
    }
    case 'notification.internal-team-notified.v1':
      return { ...view, escalation: data };
  }
}

function complete(
  view: NotificationView,
  completedAt: string,
  status: NotificationStatus,
  reason: string | null,
): NotificationView {
  return { ...view, status, reason, completedAt };
}

function withChannelEvent(view: NotificationView, record: ChannelEvent, at: string): NotificationView {
  const { data } = record;
  const sandbox = view.sandbox || ('receipt' in data && data.receipt.sandbox);
  const channels = afterChannelEvent(view.channels, record, at, isFinal(view));
  const delivery = deliveryOf(channels);
  return { ...view, sandbox, channels, ...(delivery && { delivery }) };
}
