import { IsIn, IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { defineStream, type Decider, type MessageOf } from '#libs/kernel';
import { About } from '#libs/notification';
import { severities, type Severity } from '#libs/recipient';
import { IsHeaderSafe, IsId, IsRfc3339, IsTags, schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

// 1. Events: these names and shapes are the storage format.

/** Who is told is fixed: those that the operation names, or the members of the group at this revision. */
export class BroadcastRequested {
  @IsOptional()
  @IsId()
  groupId!: string | null;

  /** Null where no group was named, or there is none. */
  @IsOptional()
  @IsString()
  groupRevision!: string | null;

  /** How many are told. */
  @IsInt()
  @Min(0)
  recipients!: number;

  @IsHeaderSafe()
  category!: string;

  @IsIn(severities)
  severity!: Severity;

  @IsSealed()
  subject!: Sealed;

  @IsOptional()
  @ValidateNested()
  @Type(() => About)
  about!: About | null;

  @IsTags()
  tags!: Record<string, string>;

  /** No attempt to tell anybody begins later. */
  @IsRfc3339()
  notAfter!: string;
}

export const broadcastFailures = ['unknownGroup', 'emptyGroup'] as const;
export type BroadcastFailure = (typeof broadcastFailures)[number];

/** There is nobody to tell. */
export class BroadcastFailed {
  @IsIn(broadcastFailures)
  reason!: BroadcastFailure;
}

export const broadcastEvents = defineStream('broadcast', 'event', {
  'broadcast.requested.v1': schemaOf(BroadcastRequested),
  'broadcast.failed.v1': schemaOf(BroadcastFailed),
});
export type BroadcastEvent = MessageOf<typeof broadcastEvents>;

// 2. State: what became of the members stands in the view.

export interface BroadcastState {
  readonly requested: BroadcastRequested | null;
  readonly failure: BroadcastFailure | null;
}

// 3. Commands.

/** The group as it is when the broadcast is taken up. */
export interface GroupFound {
  readonly revision: bigint;
  readonly count: number;
}

type Message = Pick<BroadcastRequested, 'category' | 'severity' | 'subject' | 'about' | 'tags' | 'notAfter'>;

export type BroadcastCommand = {
  readonly type: 'request';
  readonly message: Message;
  readonly to:
    { readonly recipientIds: readonly string[] } | { readonly groupId: string; readonly found: GroupFound | undefined };
};

// 4. Decisions. What has been decided before is not decided again: handlers repeat themselves.

export const broadcast: Decider<BroadcastState, BroadcastCommand, BroadcastEvent> = {
  initial: () => ({ requested: null, failure: null }),

  evolve(state, event) {
    switch (event.type) {
      case 'broadcast.requested.v1':
        return { ...state, requested: event.data };
      case 'broadcast.failed.v1':
        return { ...state, failure: event.data.reason };
    }
  },

  decide(state, { message, to }) {
    if (state.requested !== null) return [];
    const requested = (data: Pick<BroadcastRequested, 'groupId' | 'groupRevision' | 'recipients'>) =>
      ({ type: 'broadcast.requested.v1', data: { ...data, ...message } }) as const;
    if ('recipientIds' in to) {
      return [requested({ groupId: null, groupRevision: null, recipients: to.recipientIds.length })];
    }
    const { groupId, found } = to;
    const first = requested({
      groupId,
      groupRevision: found === undefined ? null : String(found.revision),
      recipients: found?.count ?? 0,
    });
    if (found === undefined) return [first, { type: 'broadcast.failed.v1', data: { reason: 'unknownGroup' } }];
    if (found.count === 0) return [first, { type: 'broadcast.failed.v1', data: { reason: 'emptyGroup' } }];
    return [first];
  },
};
