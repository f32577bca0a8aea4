import { IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString } from 'class-validator';
import { emailEvents, type EmailFailureReport } from '#libs/channel/email';
import { defineStream, keyOf, type RecordOf } from '#libs/kernel';
import { severities, type Channel, type Severity } from '#libs/recipient';
import { IsTags, schemaOf } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';
import { isTerminal, notificationEvents, type NotificationStatus } from '../event/notification.js';
import type { Decision, OperationOutcome, PreparedChannel } from '../event/contents.js';
import type { About } from '../operations/client.js';

export interface OperationView {
  readonly id: string;
  readonly type: string;
  readonly status: 'pending' | 'sending' | 'retrying' | 'succeeded' | 'failed';
  readonly to: Sealed;
  /** Claims so far: 451 twice and then 250 makes 3. */
  readonly attempts: number;
  readonly error: OperationErrorView | null;
  /** Whether it was delivered is not known. */
  readonly inDoubt: boolean;
  /** When it last changed, RFC 3339. */
  readonly at: string;
  /** Where the whole mail can be read, in the sandbox. */
  readonly message: string | null;
}

export interface OperationErrorView {
  /** Why it was given up; null while it is tried again. */
  readonly reason: string | null;
  readonly stage: string | null;
  readonly code: number | null;
  readonly message: Sealed | null;
}

export type ChannelStatus = 'pending' | 'sent' | 'partiallySent' | 'failed' | 'optedOut' | 'notAvailable';

export interface ChannelView {
  readonly status: ChannelStatus;
  readonly operations: readonly OperationView[];
}

/** What the UI shows of a notification. Personal data stands in it sealed and is opened when it is served. */
export class NotificationView {
  @IsString()
  readonly id!: string;

  @IsString()
  readonly recipientId!: string;

  @IsString()
  readonly category!: string;

  @IsIn(severities)
  readonly severity!: Severity;

  @IsSealed()
  readonly subject!: Sealed;

  @IsString()
  readonly status!: NotificationStatus;

  @IsOptional()
  @IsString()
  readonly reason!: string | null;

  /** What decided whom to tell and how. */
  @IsOptional()
  @IsObject()
  readonly decision!: Decision | null;

  /** RFC 3339. */
  @IsString()
  readonly requestedAt!: string;

  @IsOptional()
  @IsString()
  readonly completedAt!: string | null;

  @IsOptional()
  @IsString()
  readonly deliverAt!: string | null;

  @IsObject()
  readonly channels!: Readonly<Partial<Record<Channel, ChannelView>>>;

  @IsOptional()
  @IsObject()
  readonly about!: About | null;

  @IsTags()
  readonly tags!: Readonly<Record<string, string>>;

  @IsBoolean()
  readonly sandbox!: boolean;

  /** Revision of the notification's event stream that it shows. */
  @IsInt()
  readonly revision!: number;

  /** Position of the last record that it shows. */
  @IsString()
  readonly position!: string;
}

/** One stream a notification; the last record is the view. */
export const notificationViews = defineStream(
  'notification',
  'view',
  { 'notification.view.v1': schemaOf(NotificationView) },
  1,
);

/** What the view is made from. */
export type ViewSource = RecordOf<typeof notificationEvents> | RecordOf<typeof emailEvents>;

/**
 * The view after one more record; undefined while nothing is known of the notification. A record that the view shows
 * already changes nothing.
 */
export function project(view: NotificationView | undefined, record: ViewSource): NotificationView | undefined {
  if (view !== undefined && record.position <= BigInt(view.position)) return view;
  const at = new Date(record.created).toISOString();
  const position = String(record.position);
  switch (record.type) {
    case 'notification.requested.v1': {
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
        revision: Number(record.revision),
        position,
      };
    }
    case 'email.claimed.v1':
    case 'email.attempt-failed.v1':
    case 'email.sent.v1':
    case 'email.failed.v1':
      return view && { ...withOperation(view, record, at), position };
    default:
      return view && { ...withEvent(view, record, at), revision: Number(record.revision), position };
  }
}

type NotificationRecord = Exclude<RecordOf<typeof notificationEvents>, { type: 'notification.requested.v1' }>;

function withEvent(view: NotificationView, { type, data }: NotificationRecord, at: string): NotificationView {
  switch (type) {
    case 'notification.scheduled.v1':
      return { ...view, status: 'scheduled', deliverAt: data.deliverAt };
    case 'notification.prepared.v1': {
      const channelViews: Partial<Record<Channel, ChannelView>> = channelsNotUsed(data.channels);
      for (const { id, channel, type: operationType, operation } of data.operations) {
        const operations = [...(channelViews[channel]?.operations ?? [])];
        operations.push({
          id,
          type: operationType,
          status: 'pending',
          to: operation.to[0]!.address,
          attempts: 0,
          error: null,
          inDoubt: false,
          at,
          message: null,
        });
        channelViews[channel] = { status: 'pending', operations };
      }
      return { ...view, status: 'sending', decision: data.decision, channels: channelViews };
    }
    case 'notification.opted-out.v1':
      return complete(view, at, 'optedOut', 'optedOut', {
        decision: data.decision,
        channels: channelsNotUsed(data.channels),
      });
    case 'notification.sent.v1':
      return concludeOperations(complete(view, at, 'sent', null), data.outcomes, at);
    case 'notification.partially-sent.v1':
      return concludeOperations(complete(view, at, 'partiallySent', 'couldNotSendOnAllChannels'), data.outcomes, at);
    case 'notification.failed.v1': {
      const decision = data.decision ?? view.decision;
      return concludeOperations(complete(view, at, 'failed', data.reason, { decision }), data.outcomes, at);
    }
    case 'notification.expired.v1':
      return concludeOperations(complete(view, at, 'expired', 'expired'), data.outcomes, at);
  }
}

function complete(
  view: NotificationView,
  completedAt: string,
  status: NotificationStatus,
  reason: string | null,
  more: Partial<NotificationView> = {},
): NotificationView {
  return { ...view, ...more, status, reason, completedAt };
}

function channelsNotUsed(prepared: readonly PreparedChannel[]): Partial<Record<Channel, ChannelView>> {
  const views: Partial<Record<Channel, ChannelView>> = {};
  for (const { channel, outcome } of prepared) {
    if (outcome === 'notAvailable') views[channel] = { status: 'notAvailable', operations: [] };
    else if (outcome !== 'prepared') views[channel] = { status: 'optedOut', operations: [] };
  }
  return views;
}

function withOperation(view: NotificationView, record: RecordOf<typeof emailEvents>, at: string): NotificationView {
  const { data } = record;
  const sandbox = 'receipt' in data ? data.receipt.sandbox : view.sandbox;
  return mapOperations({ ...view, sandbox }, (operation) => {
    if (operation.id !== keyOf(record.stream)) return operation;
    const common = { ...operation, attempts: data.attempt, at };
    if ('receipt' in data) {
      const message = data.receipt.mime === null ? null : `/v1/emails/${operation.id}/message`;
      return { ...common, status: 'succeeded', error: null, inDoubt: false, message };
    }
    if ('reason' in data) {
      const error = errorOf(data.failure, data.reason);
      return { ...common, status: 'failed', error, inDoubt: data.reason === 'inDoubt' };
    }
    if ('failure' in data) return { ...common, status: 'retrying', error: errorOf(data.failure, null) };
    return { ...common, status: 'sending' };
  });
}

function errorOf(failure: EmailFailureReport | null, reason: string | null): OperationErrorView {
  return {
    reason,
    stage: failure?.stage ?? null,
    code: failure?.code ?? null,
    message: failure?.message ?? null,
  };
}

/** What the saga made of the operations: some had no outcome at the deadline, some had two. */
function concludeOperations(
  view: NotificationView,
  outcomes: readonly OperationOutcome[],
  at: string,
): NotificationView {
  const byId = new Map(outcomes.map((outcome) => [outcome.operationId, outcome]));
  return mapOperations(view, (operation) => {
    const outcome = byId.get(operation.id);
    if (outcome === undefined) return operation;
    if (operation.status === outcome.status && operation.inDoubt === outcome.inDoubt) return operation;
    const error = { ...(operation.error ?? errorOf(null, null)), reason: outcome.reason };
    return outcome.status === 'succeeded'
      ? { ...operation, status: 'succeeded', error: null, at }
      : { ...operation, status: 'failed', error, inDoubt: outcome.inDoubt, at };
  });
}

function mapOperations(view: NotificationView, change: (operation: OperationView) => OperationView): NotificationView {
  const entries = (Object.entries(view.channels) as [Channel, ChannelView][]).map(
    ([channel, { status, operations }]) => {
      const changed = operations.map(change);
      return [
        channel,
        { status: changed.length === 0 ? status : channelStatus(changed), operations: changed },
      ] as const;
    },
  );
  return { ...view, channels: Object.fromEntries(entries) };
}

function channelStatus(operations: readonly OperationView[]): ChannelStatus {
  const statuses = new Set(operations.map(({ status }) => status));
  if (statuses.size === 1 && statuses.has('succeeded')) return 'sent';
  if ([...statuses].some((status) => status !== 'succeeded' && status !== 'failed')) return 'pending';
  return statuses.has('succeeded') ? 'partiallySent' : 'failed';
}

/** True when the view will not change any more. */
export function isFinal(view: NotificationView): boolean {
  return isTerminal(view.status);
}
