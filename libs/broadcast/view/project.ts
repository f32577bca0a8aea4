import { keyOf, type RecordOf } from '#libs/kernel';
import { isTerminal, memberOf, notification, type notificationEvents } from '#libs/notification';
import type { broadcastEvents } from '../event/broadcast.js';
import type { broadcastClientOperations } from '../operations/client.js';
import type { BroadcastView, Counts, Ending } from './broadcast-view.js';
import { Ordinals } from './ordinals.js';

/** That a member's notification has ended, and how. */
export interface MemberEnded {
  readonly broadcastId: string;
  readonly ordinal: number;
  readonly ending: Ending;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly position: bigint;
}

const none: Counts = { pending: 0, sent: 0, partiallySent: 0, failed: 0, optedOut: 0, cancelled: 0, expired: 0 };

/** The end of a member that the record tells of; undefined for every other record. Reads nothing but the record. */
export function endedIn(record: RecordOf<typeof notificationEvents>): MemberEnded | undefined {
  const member = memberOf(record);
  if (member === undefined) return undefined;
  const { status } = notification.evolve(notification.initial(), record);
  if (!isTerminal(status)) return undefined;
  return { ...member, ending: status as Ending, at: record.created, position: record.position };
}

/** The view of a broadcast that no bot has taken up yet. */
export function acceptedView({
  stream,
  data,
  created,
  position,
}: RecordOf<typeof broadcastClientOperations>): BroadcastView {
  const { category, severity, subject, about, tags, recipientIds, groupId } = data;
  const recipients = recipientIds?.length ?? null;
  return {
    id: keyOf(stream),
    status: 'accepted',
    reason: null,
    recipients,
    counts: { ...none, pending: recipients ?? 0 },
    groupId: groupId ?? null,
    groupRevision: null,
    category,
    severity,
    subject,
    about,
    tags,
    requestedAt: new Date(created).toISOString(),
    completedAt: null,
    position: String(position),
    progress: null,
  };
}

/** The view as the broadcast's own events have it, before any member has ended; undefined where there are none. */
export function decidedView(events: readonly RecordOf<typeof broadcastEvents>[]): BroadcastView | undefined {
  return events.reduce(withOwn, undefined);
}

function withOwn(
  view: BroadcastView | undefined,
  { type, data, stream, created, position }: RecordOf<typeof broadcastEvents>,
): BroadcastView | undefined {
  if (view !== undefined && position <= BigInt(view.position)) return view;
  const at = new Date(created).toISOString();
  if (type === 'broadcast.failed.v1') {
    const failed = { status: 'failed', reason: data.reason, completedAt: at, position: String(position) } as const;
    return view && { ...view, ...failed, progress: null };
  }
  const { groupId, groupRevision, recipients, category, severity, subject, about, tags } = data;
  return {
    id: keyOf(stream),
    status: 'sending',
    reason: null,
    recipients,
    counts: { ...none, pending: recipients },
    groupId,
    groupRevision,
    category,
    severity,
    subject,
    about,
    tags,
    requestedAt: at,
    completedAt: null,
    position: String(position),
    progress: { ended: Ordinals.empty(recipients).toString(), lastAt: created },
  };
}

/** Any record that a broadcast's view is made from. */
export type BroadcastViewSource = RecordOf<typeof broadcastEvents | typeof notificationEvents>;

/** The view after more records, the broadcast's own among them. What it shows already changes nothing. */
export function foldBroadcast(
  before: BroadcastView | undefined,
  records: readonly BroadcastViewSource[],
): BroadcastView | undefined {
  let view = before;
  const ended: MemberEnded[] = [];
  for (const record of records) {
    if (isOwn(record)) view = withOwn(view, record);
    else ended.push(...[endedIn(record)].filter((one) => one !== undefined));
  }
  return view && withEnded(view, ended);
}

function isOwn(record: BroadcastViewSource): record is RecordOf<typeof broadcastEvents> {
  return record.type === 'broadcast.requested.v1' || record.type === 'broadcast.failed.v1';
}

/**
 * The view with these ends counted: each member once, in whatever order and however often its end is told.
 * @returns the view itself where nothing is new
 */
export function withEnded(view: BroadcastView, ended: readonly MemberEnded[]): BroadcastView {
  if (view.progress === null) return view;
  const ordinals = Ordinals.parse(view.progress.ended, view.recipients ?? 0);
  const fresh = ended.filter(({ ordinal }) => ordinals.add(ordinal));
  if (fresh.length === 0) return view;
  const counts = { ...view.counts };
  let { lastAt } = view.progress;
  let position = BigInt(view.position);
  for (const one of fresh) {
    counts[one.ending] += 1;
    counts.pending -= 1;
    lastAt = Math.max(lastAt, one.at);
    if (one.position > position) position = one.position;
  }
  const shown = { ...view, counts, position: String(position) };
  if (counts.pending > 0) return { ...shown, progress: { ended: ordinals.toString(), lastAt } };
  return { ...shown, status: 'completed', completedAt: new Date(lastAt).toISOString(), progress: null };
}
