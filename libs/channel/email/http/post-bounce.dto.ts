import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { IsEmailAddress, IsHeaderSafe } from '#libs/validation';
import { mostDiagnostic, reportedActions, type ReportedAction } from '../bounce/delivery-status.js';

/** What a provider tells of a mail. */
export class PostBounceDto {
  /** Of the mail, as the views of notifications have it. */
  @IsOptional()
  @IsHeaderSafe()
  @MaxLength(200)
  operationId?: string | null;

  /** Of the mail, instead of `operationId`. */
  @IsOptional()
  @IsHeaderSafe()
  @MaxLength(998)
  messageId?: string | null;

  @IsEmailAddress()
  recipient!: string;

  @IsIn(reportedActions)
  action!: ReportedAction;

  /** RFC 3463. */
  @IsString()
  @Matches(/^[245]\.\d{1,3}\.\d{1,3}$/, { message: 'must be a status code like 5.1.1' })
  status!: string;

  /** What the server said. */
  @IsOptional()
  @IsString()
  @MaxLength(mostDiagnostic)
  diagnostic?: string | null;
}
