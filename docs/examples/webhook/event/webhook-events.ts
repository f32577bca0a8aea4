import { IsBoolean, IsIn, IsInt, IsNumber, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
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

/** An attempt to post is about to be made. */
export class WebhookClaimed implements EffectClaimed {
  @IsInt()
  @Min(1)
  attempt!: number;

  @IsBoolean()
  afterDoubt!: boolean;
}

/** Why an attempt failed. */
export class WebhookFailureReport {
  /** content, connect or send. */
  @IsString()
  stage!: string;

  /** HTTP status. */
  @IsOptional()
  @IsInt()
  code!: number | null;

  /** For people. What another system says may hold personal data. */
  @IsOptional()
  @IsSealed()
  message!: Sealed | null;
}

export class WebhookAttemptFailed implements EffectAttemptFailed<WebhookFailureReport> {
  @IsInt()
  attempt!: number;

  @ValidateNested()
  @Type(() => WebhookFailureReport)
  failure!: WebhookFailureReport;

  /** Milliseconds since the Unix epoch. */
  @IsNumber()
  retryAt!: number;
}

export class WebhookReceipt {
  /** This channel has no sandbox: it is always false, and stands here because views look at it. */
  @IsBoolean()
  sandbox!: boolean;

  @IsInt()
  status!: number;
}

export class WebhookPosted implements EffectSucceeded<WebhookReceipt> {
  @IsInt()
  attempt!: number;

  @ValidateNested()
  @Type(() => WebhookReceipt)
  receipt!: WebhookReceipt;
}

export class WebhookFailed implements EffectFailed<WebhookFailureReport> {
  @IsInt()
  attempt!: number;

  @IsIn(effectFailedReasons)
  reason!: EffectFailedReason;

  @IsOptional()
  @ValidateNested()
  @Type(() => WebhookFailureReport)
  failure!: WebhookFailureReport | null;
}

/** One stream an operation: its claims and its outcome. */
export const webhookEvents = defineStream('webhook', 'event', {
  'webhook.claimed.v1': schemaOf(WebhookClaimed),
  'webhook.attempt-failed.v1': schemaOf(WebhookAttemptFailed),
  'webhook.posted.v1': schemaOf(WebhookPosted),
  'webhook.failed.v1': schemaOf(WebhookFailed),
});

export const webhookEffectTypes = {
  claimed: 'webhook.claimed.v1',
  attemptFailed: 'webhook.attempt-failed.v1',
  succeeded: 'webhook.posted.v1',
  failed: 'webhook.failed.v1',
} as const satisfies EffectTypes;
