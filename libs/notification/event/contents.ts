import { IsBoolean, IsIn, IsOptional, IsString, ValidateNested } from 'class-validator';
import { StoredBlob } from '#libs/content';
import { channels, severities, type Channel, type Severity } from '#libs/recipient';
import { IsHeaderSafe, IsId, IsRfc3339, IsTags, IsUnionOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';
import { About } from '../operations/client.js';
import { Decision, PreparedChannel, preparedOperations, type PreparedOperation } from './decision.js';

export * from './decision.js';

// Events of a notification: these names and shapes are the storage format.

/** Somebody asked for it. */
export class NotificationRequested {
  @IsId()
  recipientId!: string;

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

  /** No attempt begins later. */
  @IsRfc3339()
  notAfter!: string;

  /** What was stored for it, and is removed some time after its end; absent: nothing. */
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => StoredBlob)
  blobs?: StoredBlob[];
}

/** It waits for its time. */
export class NotificationScheduled {
  @IsRfc3339()
  deliverAt!: string;
}

/** Whom to tell and how is decided; everything that follows is fanned out from this event alone. */
export class NotificationPrepared {
  @ValidateNested()
  @Type(() => Decision)
  decision!: Decision;

  @ValidateNested({ each: true })
  @Type(() => PreparedChannel)
  channels!: PreparedChannel[];

  /** In the order in which they are enqueued. */
  @IsUnionOf('type', () => preparedOperations, { each: true })
  operations!: PreparedOperation[];

  /** When the wait for outcomes ends. */
  @IsRfc3339()
  deadline!: string;
}

/** What became of one operation. */
export class OperationOutcome {
  @IsString()
  operationId!: string;

  @IsIn(channels)
  channel!: Channel;

  @IsIn(['succeeded', 'failed'])
  status!: 'succeeded' | 'failed';

  /** Why it failed: the reason of the channel's event, or `deadline` where there was none in time. */
  @IsOptional()
  @IsString()
  reason!: string | null;

  /** It may have been delivered all the same. */
  @IsBoolean()
  inDoubt!: boolean;
}

/** Every operation went out. */
export class NotificationSent {
  @ValidateNested({ each: true })
  @Type(() => OperationOutcome)
  outcomes!: OperationOutcome[];
}

/** At least one channel was delivered, and not all. */
export class NotificationPartiallySent extends NotificationSent {}

export const failureReasons = [
  'unknownRecipient',
  'recipientErased',
  'recipientUnreadable',
  'couldNotGetAudience',
  'couldNotUseAudience',
  'couldNotGetChannelConfigs',
  'couldNotUseChannelConfigs',
  'noUsableChannel',
  'couldNotPrepare',
  'couldNotSend',
  'deadlineExceeded',
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** No channel was delivered. */
export class NotificationFailed {
  @IsIn(failureReasons)
  reason!: FailureReason;

  /** What went wrong, where the reason does not tell all of it. Holds no personal data. */
  @IsOptional()
  @IsString()
  error?: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => Decision)
  decision!: Decision | null;

  /** For `noUsableChannel` and `couldNotPrepare`: every channel with why it was not used. */
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => PreparedChannel)
  channels?: PreparedChannel[];

  @ValidateNested({ each: true })
  @Type(() => OperationOutcome)
  outcomes!: OperationOutcome[];
}

/** The team that runs the installation is told, in a mail about this failure and perhaps about others too. */
export class InternalTeamNotified {
  /** Of the mail. */
  @IsString()
  operationId!: string;

  /** When the mail was decided. */
  @IsRfc3339()
  at!: string;
}

/** The recipient does not want to be told of this on any channel. */
export class NotificationOptedOut {
  @ValidateNested()
  @Type(() => Decision)
  decision!: Decision;

  @ValidateNested({ each: true })
  @Type(() => PreparedChannel)
  channels!: PreparedChannel[];
}

/** Somebody cancelled it before anything was sent. */
export class NotificationCancelled {
  @ValidateNested({ each: true })
  @Type(() => OperationOutcome)
  outcomes!: OperationOutcome[];
}

/** Its time was over before anything was sent. */
export class NotificationExpired {
  @IsRfc3339()
  notAfter!: string;

  @ValidateNested({ each: true })
  @Type(() => OperationOutcome)
  outcomes!: OperationOutcome[];
}
