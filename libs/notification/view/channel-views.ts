import { keyOf } from '#libs/kernel';
import type { Channel } from '#libs/recipient';
import type { Sealed } from '#libs/vault';
import { addressOf, messageLink, type ChannelEvent } from '../channels.js';
import type { ChannelOutcome, OperationOutcome, PreparedChannel, PreparedOperation } from '../event/contents.js';
import type {
  ChannelNotUsed,
  ChannelStatus,
  ChannelView,
  DeliveryView,
  NotificationView,
  OperationErrorView,
  OperationView,
  ReportView,
} from './notification-view.js';

type ChannelViews = NotificationView['channels'];
type EmailReportType = 'email.bounced.v1' | 'email.delayed.v1';

/** The channels as they were decided on, none of their operations begun. */
export function afterPreparing(
  prepared: readonly PreparedChannel[],
  operations: readonly PreparedOperation[],
  at: string,
): ChannelViews {
  const views: Partial<Record<Channel, ChannelView>> = {};
  for (const channel of prepared) {
    const own = operations.filter((one) => one.channel === channel.channel).map((one) => pending(one, at));
    views[channel.channel] = { ...standingOf(channel), operations: own };
  }
  return views;
}

/** @param late whether the notification has ended already */
export function afterChannelEvent(views: ChannelViews, record: ChannelEvent, at: string, late: boolean): ChannelViews {
  const id = keyOf(record.stream);
  return mapOperations(views, (operation) =>
    operation.id === id ? withEvent({ ...operation, attempts: record.data.attempt, at }, record, late) : operation,
  );
}

/** Over all channels; undefined where nothing was reported. */
export function deliveryOf(views: ChannelViews): DeliveryView | undefined {
  const operations = Object.values(views).flatMap((view) => view.operations);
  const bounced = operations.reduce((sum, operation) => sum + (operation.bounced?.length ?? 0), 0);
  const delayed = operations.reduce((sum, operation) => sum + (operation.delayed?.length ?? 0), 0);
  return bounced + delayed === 0 ? undefined : { bounced, delayed };
}

/** What the saga made of the operations: some had no outcome at the deadline, some had two. */
export function afterOutcomes(views: ChannelViews, outcomes: readonly OperationOutcome[], at: string): ChannelViews {
  if (outcomes.length === 0) return views;
  const byId = new Map(outcomes.map((outcome) => [outcome.operationId, outcome]));
  return mapOperations(views, (operation) => {
    const outcome = byId.get(operation.id);
    if (outcome === undefined) return operation;
    if (outcome.status === 'succeeded' && operation.status === 'bounced') return operation;
    if (operation.status === outcome.status && operation.inDoubt === outcome.inDoubt) return operation;
    const error = { ...(operation.error ?? errorOf(null, null)), reason: outcome.reason };
    return outcome.status === 'succeeded'
      ? { ...operation, status: 'succeeded', error: null, at }
      : { ...operation, status: 'failed', error, inDoubt: outcome.inDoubt, at };
  });
}

const statusNotUsed: Readonly<Record<Exclude<ChannelOutcome, 'prepared'>, ChannelNotUsed>> = {
  notChosen: 'optedOut',
  belowMinSeverity: 'optedOut',
  noAddress: 'noAddress',
  addressBounced: 'addressBounced',
  notAvailable: 'notAvailable',
  couldNotPrepare: 'couldNotPrepare',
  discarded: 'discarded',
};

function standingOf({ outcome, failures }: PreparedChannel): Omit<ChannelView, 'operations'> {
  const status = outcome === 'prepared' ? 'pending' : statusNotUsed[outcome];
  const isOptOut = outcome === 'notChosen' || outcome === 'belowMinSeverity';
  return { status, ...(isOptOut && { reason: outcome }), ...(failures && { failures }) };
}

function pending(prepared: PreparedOperation, at: string): OperationView {
  return {
    id: prepared.id,
    type: prepared.type,
    status: 'pending',
    to: addressOf(prepared),
    attempts: 0,
    error: null,
    inDoubt: false,
    at,
    message: null,
    late: false,
  };
}

function withEvent(operation: OperationView, record: ChannelEvent, late: boolean): OperationView {
  if (record.type === 'email.bounced.v1') {
    const bounced = [...(operation.bounced ?? []), reportOf(record)];
    return {
      ...operation,
      bounced,
      status: operation.status === 'succeeded' ? takenStatus(bounced) : operation.status,
    };
  }
  if (record.type === 'email.delayed.v1') {
    return { ...operation, delayed: [...(operation.delayed ?? []), reportOf(record)] };
  }
  const { data } = record;
  if ('receipt' in data) {
    const message = messageLink(operation.id, record);
    return { ...operation, status: takenStatus(operation.bounced), error: null, inDoubt: false, message, late };
  }
  if ('reason' in data) {
    const error = errorOf(data.failure, data.reason);
    return { ...operation, status: 'failed', error, inDoubt: data.reason === 'inDoubt', late };
  }
  if ('failure' in data) return { ...operation, status: 'retrying', error: errorOf(data.failure, null) };
  return { ...operation, status: 'sending' };
}

/** Where only copies came back, those whom it is for have it. */
function takenStatus(bounced: readonly ReportView[] = []): 'succeeded' | 'bounced' {
  return bounced.some(({ role }) => role === 'to') ? 'bounced' : 'succeeded';
}

function reportOf({ data, created }: Extract<ChannelEvent, { type: EmailReportType }>): ReportView {
  const { role, address, status, diagnostic } = data;
  return { role, address, status, diagnostic, at: new Date(created).toISOString() };
}

interface FailureReport {
  readonly stage: string;
  readonly code: number | string | null;
  readonly message: Sealed | null;
}

function errorOf(failure: FailureReport | null, reason: string | null): OperationErrorView {
  return {
    reason,
    stage: failure?.stage ?? null,
    code: failure?.code ?? null,
    message: failure?.message ?? null,
  };
}

function mapOperations(views: ChannelViews, change: (operation: OperationView) => OperationView): ChannelViews {
  const entries = (Object.entries(views) as [Channel, ChannelView][]).map(([channel, view]) => {
    if (view.operations.length === 0) return [channel, view] as const;
    const operations = view.operations.map(change);
    return [channel, { ...view, status: channelStatus(operations), operations }] as const;
  });
  return Object.fromEntries(entries);
}

function channelStatus(operations: readonly OperationView[]): ChannelStatus {
  const statuses = new Set(operations.map(({ status }) => status));
  if (statuses.size === 1 && statuses.has('succeeded')) return 'sent';
  if (statuses.has('pending') || statuses.has('sending') || statuses.has('retrying')) return 'pending';
  if (statuses.has('succeeded')) return 'partiallySent';
  return statuses.has('bounced') ? 'bounced' : 'failed';
}
