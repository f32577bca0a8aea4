import { IsIn, IsInt, IsObject, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { defineStream } from '#libs/kernel';
import type { About } from '#libs/notification';
import { severities, type Severity } from '#libs/recipient';
import { IsTags, schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';
import type { BroadcastFailure } from '../event/broadcast.js';

/** How a member's notification can end. */
export const endings = ['sent', 'partiallySent', 'failed', 'optedOut', 'cancelled', 'expired'] as const;
export type Ending = (typeof endings)[number];

/** How many members there are of each; together as many as are told. */
export type Counts = Readonly<Record<Ending | 'pending', number>>;

export const broadcastStatuses = ['accepted', 'sending', 'completed', 'failed'] as const;
export type BroadcastStatus = (typeof broadcastStatuses)[number];

export class Progress {
  /** The ordinals of the members that have ended, see `Ordinals`. */
  @IsString()
  readonly ended!: string;

  /** When the last of them ended, in milliseconds since the Unix epoch. */
  @IsInt()
  readonly lastAt!: number;
}

/** What became of a broadcast as a whole. Personal data stands in it sealed and is opened when it is served. */
export class BroadcastView {
  @IsString()
  readonly id!: string;

  @IsIn(broadcastStatuses)
  readonly status!: BroadcastStatus;

  /** Why there is nobody to tell. */
  @IsOptional()
  @IsString()
  readonly reason!: BroadcastFailure | null;

  /** How many are told; null while that is not decided. */
  @IsOptional()
  @IsInt()
  @Min(0)
  readonly recipients!: number | null;

  @IsObject()
  readonly counts!: Counts;

  @IsOptional()
  @IsString()
  readonly groupId!: string | null;

  /** Of the group whose members are told. */
  @IsOptional()
  @IsString()
  readonly groupRevision!: string | null;

  @IsString()
  readonly category!: string;

  @IsIn(severities)
  readonly severity!: Severity;

  @IsSealed()
  readonly subject!: Sealed;

  @IsOptional()
  @IsObject()
  readonly about!: About | null;

  @IsTags()
  readonly tags!: Readonly<Record<string, string>>;

  /** RFC 3339. */
  @IsString()
  readonly requestedAt!: string;

  /** When the last member ended. */
  @IsOptional()
  @IsString()
  readonly completedAt!: string | null;

  /** Position of the last record that it shows. */
  @IsString()
  readonly position!: string;

  /** What counting goes on from; null where nothing more is counted. Not served. */
  @IsOptional()
  @ValidateNested()
  @Type(() => Progress)
  readonly progress!: Progress | null;
}

/** One stream a broadcast; the last record is the view. */
export const broadcastViews = defineStream('broadcast', 'view', { 'broadcast.view.v1': schemaOf(BroadcastView) });

/** True when nothing more will become of it. */
export function isFinal({ status }: BroadcastView): boolean {
  return status === 'completed' || status === 'failed';
}
