import { IsIn, IsOptional, ValidateNested } from 'class-validator';
import { SealedContent } from '#libs/content';
import { defineStream } from '#libs/kernel';
import { severities, type Severity } from '#libs/recipient';
import { IsHeaderSafe, IsId, IsRfc3339, IsTags, schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

/** The business object, and the process working on it, that a notification is about. */
export class About {
  @IsOptional()
  @IsId()
  processId!: string | null;

  @IsOptional()
  @IsHeaderSafe()
  entityType!: string | null;

  @IsOptional()
  @IsId()
  entityId!: string | null;
}

/** Tell somebody something. */
export class SendNotification {
  @IsId()
  recipientId!: string;

  @IsHeaderSafe()
  category!: string;

  @IsIn(severities)
  severity!: Severity;

  /** The subject once more, for views. */
  @IsSealed()
  subject!: Sealed;

  @ValidateNested()
  @Type(() => SealedContent)
  content!: SealedContent;

  @IsOptional()
  @ValidateNested()
  @Type(() => About)
  about!: About | null;

  @IsTags()
  tags!: Record<string, string>;

  /** Not sent earlier. */
  @IsOptional()
  @IsRfc3339()
  deliverAt!: string | null;

  /** Not sent later. */
  @IsOptional()
  @IsRfc3339()
  expiresAt!: string | null;
}

/** What clients ask for; one stream a notification. */
export const notificationClientOperations = defineStream('notification', 'clientOperation', {
  'notification.send.v1': schemaOf(SendNotification),
});
