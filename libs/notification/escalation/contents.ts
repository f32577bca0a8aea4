import { ArrayMinSize, IsArray, IsIn, IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { SendEmail } from '#libs/channel/email';
import { IsRfc3339, Type } from '#libs/validation';
import type { BroadcastMember } from '../event/broadcast-member.js';
import { escalatedReasons, type EscalatedReason } from '../operations/internal.js';

// Events of escalating: these names and shapes are the storage format. None of them holds personal data in clear.

/** Its place within a broadcast. */
export class GatheredMember implements BroadcastMember {
  @IsString()
  broadcastId!: string;

  @IsInt()
  @Min(0)
  ordinal!: number;
}

/** A notification that failed and that the team is to be told of. */
export class GatheredFailure {
  @IsString()
  notificationId!: string;

  @IsIn(escalatedReasons)
  reason!: EscalatedReason;

  @IsArray()
  @IsString({ each: true })
  codes!: string[];

  @IsRfc3339()
  failedAt!: string;

  /** Revision of the notification's event stream that says it failed. */
  @IsString()
  notificationRevision!: string;

  /** Absent: it belongs to no broadcast. */
  @IsOptional()
  @ValidateNested()
  @Type(() => GatheredMember)
  member?: GatheredMember;
}

/** A page of failures that the next mail tells. */
export class FailuresGathered {
  /** Key of the mail's operation: it stands when the first failure is gathered. */
  @IsString()
  operationId!: string;

  /** When the mail is to be made. */
  @IsRfc3339()
  dueAt!: string;

  /** Which of the pauses follows that mail. */
  @IsInt()
  @Min(0)
  step!: number;

  @IsRfc3339()
  at!: string;

  /** Position, as a decimal string: no internal operation beyond it has been gathered. Never goes down. */
  @IsString()
  upTo!: string;

  @ValidateNested({ each: true })
  @Type(() => GatheredFailure)
  @ArrayMinSize(1)
  failures!: GatheredFailure[];
}

/** How often something was the case. */
export class Tally {
  @IsString()
  name!: string;

  @IsInt()
  @Min(1)
  count!: number;
}

/** What one mail tells. */
export class FailureSummary {
  @IsInt()
  @Min(1)
  count!: number;

  @ValidateNested({ each: true })
  @Type(() => Tally)
  reasons!: Tally[];

  /** A notification counts once for each of its codes. */
  @ValidateNested({ each: true })
  @Type(() => Tally)
  codes!: Tally[];

  @IsRfc3339()
  firstFailedAt!: string;

  @IsRfc3339()
  lastFailedAt!: string;

  /** Ids of the first of them. */
  @IsArray()
  @IsString({ each: true })
  notificationIds!: string[];
}

/** The mail is decided; everything that follows is fanned out from this event and its pages alone. */
export class EscalationDecided {
  @IsString()
  operationId!: string;

  @IsRfc3339()
  at!: string;

  /** Which of the pauses follows. */
  @IsInt()
  @Min(0)
  step!: number;

  /** So many `failures-gathered` events right before this one hold the failures that it covers. */
  @IsInt()
  @Min(1)
  pages!: number;

  /** As of its last page. */
  @IsString()
  upTo!: string;

  @IsRfc3339()
  lastGatheredAt!: string;

  @ValidateNested()
  @Type(() => FailureSummary)
  summary!: FailureSummary;

  /** Complete: sending it needs nothing else. */
  @ValidateNested()
  @Type(() => SendEmail)
  operation!: SendEmail;
}
