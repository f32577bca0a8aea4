import { IsBoolean, IsIn, IsOptional, IsString, ValidateNested } from 'class-validator';
import { SendEmail } from '#libs/channel/email';
import { channels, severities, type Channel, type PreferenceSource, type Severity } from '#libs/recipient';
import { IsHeaderSafe, IsId, IsRfc3339, IsTags, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';
import { About } from '../operations/client.js';

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
}

/** It waits for its time. */
export class NotificationScheduled {
  @IsRfc3339()
  deliverAt!: string;
}

/** What was known when it was decided whom to tell and how. */
export class Decision {
  /** Revision of the recipient's event stream; null: there was none. */
  @IsOptional()
  @IsString()
  recipientRevision!: string | null;

  @IsIn(['category', 'default', 'none'])
  preference!: PreferenceSource;

  @IsIn(severities)
  severity!: Severity;

  @IsHeaderSafe()
  category!: string;
}

export type ChannelOutcome = 'prepared' | 'notChosen' | 'belowMinSeverity' | 'notAvailable';

export class PreparedChannel {
  @IsIn(channels)
  channel!: Channel;

  /** `notAvailable`: this installation has no such channel. */
  @IsIn(['prepared', 'notChosen', 'belowMinSeverity', 'notAvailable'])
  outcome!: ChannelOutcome;
}

/** A channel operation, complete: sending it needs nothing else. */
export class PreparedOperation {
  /** Key of the operation's streams. */
  @IsString()
  id!: string;

  @IsIn(['email'])
  channel!: 'email';

  @IsIn(['SendEmail'])
  type!: 'SendEmail';

  @ValidateNested()
  @Type(() => SendEmail)
  operation!: SendEmail;
}

/** Whom to tell and how is decided; everything that follows is fanned out from this event alone. */
export class NotificationPrepared {
  @ValidateNested()
  @Type(() => Decision)
  decision!: Decision;

  @ValidateNested({ each: true })
  @Type(() => PreparedChannel)
  channels!: PreparedChannel[];

  @ValidateNested({ each: true })
  @Type(() => PreparedOperation)
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
  'noUsableChannel',
  'couldNotSend',
  'deadlineExceeded',
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** No channel was delivered. */
export class NotificationFailed {
  @IsIn(failureReasons)
  reason!: FailureReason;

  @IsOptional()
  @ValidateNested()
  @Type(() => Decision)
  decision!: Decision | null;

  @ValidateNested({ each: true })
  @Type(() => OperationOutcome)
  outcomes!: OperationOutcome[];
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

/** Its time was over before anything was sent. */
export class NotificationExpired {
  @IsRfc3339()
  notAfter!: string;

  @ValidateNested({ each: true })
  @Type(() => OperationOutcome)
  outcomes!: OperationOutcome[];
}
