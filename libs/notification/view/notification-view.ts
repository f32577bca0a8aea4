import { IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString } from 'class-validator';
import { defineStream } from '#libs/kernel';
import { severities, type Channel, type Severity } from '#libs/recipient';
import { IsTags, schemaOf } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';
import { isTerminal, type NotificationStatus } from '../event/notification.js';
import type { MailRole } from '#libs/channel/email';
import type { ChannelOutcome, Decision, InternalTeamNotified, OperationType } from '../event/contents.js';
import type { About } from '../operations/client.js';

export interface OperationView {
  readonly id: string;
  readonly type: OperationType;
  /** `bounced`: it was taken, and came back from an address that it was for. */
  readonly status: 'pending' | 'sending' | 'retrying' | 'succeeded' | 'bounced' | 'failed';
  readonly to: Sealed;
  /** Claims so far: 451 twice and then 250 makes 3. */
  readonly attempts: number;
  readonly error: OperationErrorView | null;
  /** Whether it was delivered is not known. */
  readonly inDoubt: boolean;
  /** When it last changed, RFC 3339. */
  readonly at: string;
  /** Where what was sent can be read, in the sandbox. */
  readonly message: string | null;
  /** Its outcome came after the notification had ended, and did not change how. */
  readonly late: boolean;
  /** Addresses that it came back from; absent: none. */
  readonly bounced?: readonly ReportView[];
  /** Addresses that it was late for, or still is; absent: none. */
  readonly delayed?: readonly ReportView[];
}

/** What a mail server said of one address after the mail was taken. */
export interface ReportView {
  readonly role: MailRole;
  readonly address: Sealed;
  /** RFC 3463: `5.1.1`. */
  readonly status: string;
  readonly diagnostic: Sealed | null;
  /** When it is on record, RFC 3339. */
  readonly at: string;
}

/** How many addresses something came back from, or is late for, after all of it was taken. */
export interface DeliveryView {
  readonly bounced: number;
  readonly delayed: number;
}

export interface OperationErrorView {
  /** Why it was given up; null while it is tried again. */
  readonly reason: string | null;
  readonly stage: string | null;
  /** SMTP reply code, or Slack's error code. */
  readonly code: number | string | null;
  readonly message: Sealed | null;
}

export type ChannelStatus = 'pending' | 'sent' | 'partiallySent' | 'bounced' | 'failed' | ChannelNotUsed;

/** Why nothing goes out on a channel. */
export type ChannelNotUsed =
  'optedOut' | 'noAddress' | 'addressBounced' | 'notAvailable' | 'couldNotPrepare' | 'discarded';

export interface ChannelView {
  readonly status: ChannelStatus;
  /** Where the recipient has opted out: by which part of the preference. */
  readonly reason?: Extract<ChannelOutcome, 'notChosen' | 'belowMinSeverity'>;
  /** What went wrong in preparing it; absent: nothing. */
  readonly failures?: readonly Sealed[];
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

  /** In the recipient's order of preference. */
  @IsObject()
  readonly channels!: Readonly<Partial<Record<Channel, ChannelView>>>;

  @IsOptional()
  @IsObject()
  readonly about!: About | null;

  @IsTags()
  readonly tags!: Readonly<Record<string, string>>;

  @IsBoolean()
  readonly sandbox!: boolean;

  /** The broadcast that it is a part of. */
  @IsOptional()
  @IsString()
  readonly broadcastId!: string | null;

  /** What was reported after it was sent; absent: nothing. How it ended does not change by that. */
  @IsOptional()
  @IsObject()
  readonly delivery?: DeliveryView;

  /** The mail that tells the team of the failure. */
  @IsOptional()
  @IsObject()
  readonly escalation!: InternalTeamNotified | null;

  /** Revision of the notification's event stream that it shows. */
  @IsInt()
  readonly revision!: number;

  /** Position of the last record that it shows. */
  @IsString()
  readonly position!: string;
}

/** One stream a notification; the last record is the view. */
export const notificationViews = defineStream('notification', 'view', {
  'notification.view.v1': schemaOf(NotificationView),
});

/** True when nothing more will become of the notification; that the team is told of its failure may still come. */
export function isFinal(view: NotificationView): boolean {
  return isTerminal(view.status);
}
