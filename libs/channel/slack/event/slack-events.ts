import { IsBoolean, IsIn, IsInt, IsNumber, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { StoredBlob } from '#libs/content';
import { defineStream } from '#libs/kernel';
import {
  effectFailedReasons,
  type EffectAttemptFailed,
  type EffectClaimed,
  type EffectFailed,
  type EffectFailedReason,
  type EffectSucceeded,
  type EffectTypes,
} from '#libs/runtime';
import { schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

/** An attempt to post or upload is about to be made. */
export class SlackClaimed implements EffectClaimed {
  @IsInt()
  @Min(1)
  attempt!: number;

  @IsBoolean()
  afterDoubt!: boolean;
}

/** Why an attempt failed. */
export class SlackFailureReport {
  /** participants, content, packaging, connect, authenticate, upload or send. */
  @IsString()
  stage!: string;

  @IsIn(['transient', 'permanent'])
  kind!: 'transient' | 'permanent';

  /** Slack's error, such as channel_not_found. */
  @IsOptional()
  @IsString()
  code!: string | null;

  @IsOptional()
  @IsInt()
  httpStatus!: number | null;

  /** Slack may have posted it all the same. */
  @IsBoolean()
  doubtful!: boolean;

  /** What went wrong, for people. */
  @IsOptional()
  @IsSealed()
  message!: Sealed | null;

  /** What Slack answered, as it came: JSON, unless something else answered in its place. */
  @IsOptional()
  @IsSealed()
  response!: Sealed | null;
}

export class SlackAttemptFailed implements EffectAttemptFailed<SlackFailureReport> {
  @IsInt()
  attempt!: number;

  @ValidateNested()
  @Type(() => SlackFailureReport)
  failure!: SlackFailureReport;

  /** Milliseconds since the Unix epoch. */
  @IsNumber()
  retryAt!: number;
}

export class SlackReceiptReport {
  /** Nothing left the house. */
  @IsBoolean()
  sandbox!: boolean;

  /** Timestamp of the message, which is its id within the channel; none for a file. */
  @IsOptional()
  @IsString()
  ts!: string | null;

  /** Slack's answer: sealed JSON. */
  @IsOptional()
  @IsSealed()
  detail!: Sealed | null;

  /** What would have been posted, from the sandbox: JSON. */
  @IsOptional()
  @ValidateNested()
  @Type(() => StoredBlob)
  payload!: StoredBlob | null;

  /** The bytes that would have been uploaded, from the sandbox. */
  @IsOptional()
  @ValidateNested()
  @Type(() => StoredBlob)
  file!: StoredBlob | null;
}

export class SlackSent implements EffectSucceeded<SlackReceiptReport> {
  @IsInt()
  attempt!: number;

  @ValidateNested()
  @Type(() => SlackReceiptReport)
  receipt!: SlackReceiptReport;
}

export class SlackFailed implements EffectFailed<SlackFailureReport> {
  @IsInt()
  attempt!: number;

  @IsIn(effectFailedReasons)
  reason!: EffectFailedReason;

  @IsOptional()
  @ValidateNested()
  @Type(() => SlackFailureReport)
  failure!: SlackFailureReport | null;
}

/** One stream an operation: its claims and its outcome. */
export const slackEvents = defineStream('slack', 'event', {
  'slack.claimed.v1': schemaOf(SlackClaimed),
  'slack.attempt-failed.v1': schemaOf(SlackAttemptFailed),
  'slack.sent.v1': schemaOf(SlackSent),
  'slack.failed.v1': schemaOf(SlackFailed),
});

export const slackEffectTypes = {
  claimed: 'slack.claimed.v1',
  attemptFailed: 'slack.attempt-failed.v1',
  succeeded: 'slack.sent.v1',
  failed: 'slack.failed.v1',
} as const satisfies EffectTypes;
