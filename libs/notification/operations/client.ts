import { IsIn, IsInt, IsOptional, Min, ValidateNested } from 'class-validator';
import { SealedContent, StoredBlob } from '#libs/content';
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

/** What is to be told, whoever is told. */
export class NotificationMessage {
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

  /** How many attachments the content has; absent: none. */
  @IsOptional()
  @IsInt()
  @Min(1)
  attachments?: number;

  /** Every blob that was stored for it: attachments, and content that is too large for a record; absent: none. */
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => StoredBlob)
  blobs?: StoredBlob[];

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

/** Tell somebody something. */
export class SendNotification extends NotificationMessage {
  @IsId()
  recipientId!: string;
}

/** What is not sent yet is not to be sent. */
export class CancelNotification {}

/** What clients ask for; one stream a notification. That of a broadcast's member has no more than a cancel. */
export const notificationClientOperations = defineStream('notification', 'clientOperation', {
  'notification.send.v1': schemaOf(SendNotification),
  'notification.cancel.v1': schemaOf(CancelNotification),
});
