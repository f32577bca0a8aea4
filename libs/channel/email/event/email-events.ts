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
import { EmailReport } from './email-report.js';

/** An attempt to send is about to be made. */
export class EmailClaimed implements EffectClaimed {
  @IsInt()
  @Min(1)
  attempt!: number;

  @IsBoolean()
  afterDoubt!: boolean;
}

/** Why an attempt failed. */
export class EmailFailureReport {
  /** participants, content, options, packaging, connect, authenticate or send. */
  @IsString()
  stage!: string;

  @IsIn(['transient', 'permanent'])
  kind!: 'transient' | 'permanent';

  /** SMTP reply code. */
  @IsOptional()
  @IsInt()
  code!: number | null;

  /** RFC 3463. */
  @IsOptional()
  @IsString()
  enhancedCode!: string | null;

  /** The server may have taken the mail all the same. */
  @IsBoolean()
  doubtful!: boolean;

  /** What went wrong, for people; it may name addresses. */
  @IsOptional()
  @IsSealed()
  message!: Sealed | null;

  /** The redacted SMTP conversation, a sealed JSON array of lines. */
  @IsOptional()
  @IsSealed()
  conversation!: Sealed | null;
}

export class EmailAttemptFailed implements EffectAttemptFailed<EmailFailureReport> {
  @IsInt()
  attempt!: number;

  @ValidateNested()
  @Type(() => EmailFailureReport)
  failure!: EmailFailureReport;

  /** Milliseconds since the Unix epoch. */
  @IsNumber()
  retryAt!: number;
}

export class EmailReceiptReport {
  @IsString()
  messageId!: string;

  /** Size of the mail. */
  @IsInt()
  bytes!: number;

  /** Recipients, cc and bcc included, that the server took the mail for. */
  @IsInt()
  accepted!: number;

  /** Those that it refused. */
  @IsInt()
  rejected!: number;

  /** Nothing left the house. */
  @IsBoolean()
  sandbox!: boolean;

  /** The mail itself, from the sandbox. */
  @IsOptional()
  @ValidateNested()
  @Type(() => StoredBlob)
  mime!: StoredBlob | null;

  /** The server's reply, addresses refused and the redacted conversation: sealed JSON. */
  @IsOptional()
  @IsSealed()
  detail!: Sealed | null;
}

export class EmailSent implements EffectSucceeded<EmailReceiptReport> {
  @IsInt()
  attempt!: number;

  @ValidateNested()
  @Type(() => EmailReceiptReport)
  receipt!: EmailReceiptReport;
}

export class EmailFailed implements EffectFailed<EmailFailureReport> {
  @IsInt()
  attempt!: number;

  @IsIn(effectFailedReasons)
  reason!: EffectFailedReason;

  @IsOptional()
  @ValidateNested()
  @Type(() => EmailFailureReport)
  failure!: EmailFailureReport | null;
}

/** A server says that the mail will not get to an address, after it or another one had taken it. */
export class EmailBounced extends EmailReport {}

/** A server says that the mail has not got to an address yet, and that it goes on trying. */
export class EmailDelayed extends EmailReport {}

/** One stream an operation: its claims, its outcome, and what was reported after that. */
export const emailEvents = defineStream('email', 'event', {
  'email.claimed.v1': schemaOf(EmailClaimed),
  'email.attempt-failed.v1': schemaOf(EmailAttemptFailed),
  'email.sent.v1': schemaOf(EmailSent),
  'email.failed.v1': schemaOf(EmailFailed),
  'email.bounced.v1': schemaOf(EmailBounced),
  'email.delayed.v1': schemaOf(EmailDelayed),
});

export const emailEffectTypes = {
  claimed: 'email.claimed.v1',
  attemptFailed: 'email.attempt-failed.v1',
  succeeded: 'email.sent.v1',
  failed: 'email.failed.v1',
} as const satisfies EffectTypes;
