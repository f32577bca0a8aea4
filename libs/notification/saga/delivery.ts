import { IsIn, IsString, ValidateNested } from 'class-validator';
import { defineStream, type Message, type Saga } from '#libs/kernel';
import { channels, type Channel } from '#libs/recipient';
import { IsRfc3339, schemaOf, Type } from '#libs/validation';
import type { OperationOutcome } from '../event/contents.js';

// 1. Stream: one a notification. It says what to wait for; what is waited for stands in the channels' event streams.

export class AwaitedOperation {
  @IsString()
  operationId!: string;

  @IsIn(channels)
  channel!: Channel;

  /** Stored type name of the event that says it went out. */
  @IsString()
  succeededType!: string;

  /** Stored type name of the event that says it was given up. */
  @IsString()
  failedType!: string;
}

export class DeliveryStarted {
  @ValidateNested({ each: true })
  @Type(() => AwaitedOperation)
  operations!: AwaitedOperation[];

  /** When the wait ends. */
  @IsRfc3339()
  deadline!: string;

  /** Revision of the notification's event stream that the saga started from. */
  @IsString()
  notificationRevision!: string;
}

export const notificationSagas = defineStream('notification', 'saga', {
  'notification.delivery-started.v1': schemaOf(DeliveryStarted),
});

// 2. What the saga sees.

/** An event of a channel, about one operation. */
export interface ChannelEventSeen {
  readonly operationId: string;
  /** Stored type name of the channel's event. */
  readonly event: string;
  readonly reason: string | null;
  readonly inDoubt: boolean;
}

export type DeliverySeen =
  | Message<'notification.delivery-started.v1', DeliveryStarted>
  | Message<'channelEventSeen', ChannelEventSeen>
  | Message<'deadlinePassed', null>;

export interface DeliveryState {
  readonly started: DeliveryStarted | null;
  /** By operation id; a failure, once seen, stays one. */
  readonly outcomes: ReadonlyMap<string, OperationOutcome>;
  readonly deadlinePassed: boolean;
}

export type DeliveryReaction = Message<'complete', readonly OperationOutcome[]>;

// 3. Sees a delivery through: waits until every operation has an outcome, or the deadline has passed.

export const delivery: Saga<DeliveryState, DeliverySeen, DeliveryReaction> = {
  initial: () => ({ started: null, outcomes: new Map(), deadlinePassed: false }),

  evolve(state, seen) {
    switch (seen.type) {
      case 'notification.delivery-started.v1':
        return { ...state, started: seen.data };
      case 'deadlinePassed':
        return { ...state, deadlinePassed: true };
      case 'channelEventSeen':
        return withOutcome(state, seen.data);
    }
  },

  react({ started, outcomes, deadlinePassed }) {
    if (started === null) return [];
    const known = started.operations.map(({ operationId }) => outcomes.get(operationId));
    if (!deadlinePassed && known.includes(undefined)) return [];
    const all = started.operations.map(
      ({ operationId, channel }, index) =>
        known[index] ?? { operationId, channel, status: 'failed' as const, reason: 'deadline', inDoubt: true },
    );
    return [{ type: 'complete', data: all }];
  },
};

function withOutcome(state: DeliveryState, seen: ChannelEventSeen): DeliveryState {
  const awaited = state.started?.operations.find(({ operationId }) => operationId === seen.operationId);
  if (awaited === undefined) return state;
  const succeeded = seen.event === awaited.succeededType;
  if (!succeeded && seen.event !== awaited.failedType) return state;
  const before = state.outcomes.get(seen.operationId);
  const contradicted = before !== undefined && (before.status === 'succeeded') !== succeeded;
  const outcome: OperationOutcome = {
    operationId: seen.operationId,
    channel: awaited.channel,
    status: succeeded && !contradicted ? 'succeeded' : 'failed',
    reason: succeeded ? (before?.reason ?? null) : seen.reason,
    // Both a success and a failure: nobody can say, whatever comes after.
    inDoubt: seen.inDoubt || contradicted || before?.inDoubt === true,
  };
  return { ...state, outcomes: new Map(state.outcomes).set(seen.operationId, outcome) };
}
