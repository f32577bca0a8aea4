import { IsIn, IsOptional, IsString, ValidateNested } from 'class-validator';
import { SendEmail } from '#libs/channel/email';
import { SendSlackMessage, UploadSlackFile } from '#libs/channel/slack';
import { channels, severities, type Channel, type PreferenceSource, type Severity } from '#libs/recipient';
import { IsHeaderSafe, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

// What stands in the events of a notification about how it was decided: these names and shapes are the storage format.

/** Who answered a step: Tidings, from the recipients and their preferences, or a directory of the customer's. */
export const stepSources = ['tidings', 'directory'] as const;
export type StepSource = (typeof stepSources)[number];

export const stepNames = ['audience', 'channels', 'prepare'] as const;
export type StepName = (typeof stepNames)[number];

/** How a step went that led to the decision. */
export class StepReport {
  @IsIn(stepNames)
  step!: StepName;

  @IsIn(stepSources)
  source!: StepSource;

  /** What went wrong, for people. Of `prepare` they stand with the channels. */
  @IsSealed({ each: true })
  failures!: Sealed[];
}

/** What was known when it was decided whom to tell and how. */
export class Decision {
  /** Revision of the recipient's event stream; null: there was none, or it was not looked at. */
  @IsOptional()
  @IsString()
  recipientRevision!: string | null;

  /** Which of the recipient's preferences decided; null: none was looked at. */
  @IsOptional()
  @IsIn(['category', 'default', 'none'])
  preference!: PreferenceSource | null;

  @IsIn(severities)
  severity!: Severity;

  @IsHeaderSafe()
  category!: string;

  /** The steps that somebody else than Tidings answered, or that had failures; absent: there was none. */
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => StepReport)
  steps?: StepReport[];
}

export const channelOutcomes = [
  'prepared',
  'notChosen',
  'belowMinSeverity',
  'noAddress',
  'addressBounced',
  'notAvailable',
  'couldNotPrepare',
  'discarded',
] as const;
export type ChannelOutcome = (typeof channelOutcomes)[number];

export class PreparedChannel {
  @IsIn(channels)
  channel!: Channel;

  /**
   * `noAddress`: the recipient has none for it. `addressBounced`: mail to it came back. `notAvailable`: this installation has no such channel. `discarded`: it was
   * prepared, and another one was not.
   */
  @IsIn(channelOutcomes)
  outcome!: ChannelOutcome;

  /** What went wrong in preparing it, for people; absent: nothing. */
  @IsOptional()
  @IsSealed({ each: true })
  failures?: Sealed[];
}

// A channel operation, complete: sending it needs nothing else. Its id is the key of the operation's streams.

export class PreparedEmail {
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

export class PreparedSlackMessage {
  @IsString()
  id!: string;

  @IsIn(['slack'])
  channel!: 'slack';

  @IsIn(['SendSlackMessage'])
  type!: 'SendSlackMessage';

  @ValidateNested()
  @Type(() => SendSlackMessage)
  operation!: SendSlackMessage;
}

export class PreparedSlackUpload {
  @IsString()
  id!: string;

  @IsIn(['slack'])
  channel!: 'slack';

  @IsIn(['UploadFileToSlack'])
  type!: 'UploadFileToSlack';

  @ValidateNested()
  @Type(() => UploadSlackFile)
  operation!: UploadSlackFile;
}

/** By type. */
export const preparedOperations = {
  SendEmail: PreparedEmail,
  SendSlackMessage: PreparedSlackMessage,
  UploadFileToSlack: PreparedSlackUpload,
} as const;
export type OperationType = keyof typeof preparedOperations;
export type PreparedOperation = InstanceType<(typeof preparedOperations)[OperationType]>;
