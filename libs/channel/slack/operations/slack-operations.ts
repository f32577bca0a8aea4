import { IsIn, IsInt, Min, ValidateNested } from 'class-validator';
import { SealedContent } from '#libs/content';
import { defineStream } from '#libs/kernel';
import type { DeliveryPolicy } from '#libs/runtime';
import { IsRfc3339, schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

/** One message to post, with all that posting it needs. */
export class SendSlackMessage {
  /** A channel's or user's id, or a channel's name. */
  @IsSealed()
  channel!: Sealed;

  @ValidateNested()
  @Type(() => SealedContent)
  content!: SealedContent;

  /** No attempt begins later. */
  @IsRfc3339()
  notAfter!: string;

  @IsIn(['atLeastOnce', 'atMostOnce'])
  delivery!: DeliveryPolicy;
}

/** One attachment to upload. */
export class UploadSlackFile {
  /** A channel's id: Slack takes no name here. */
  @IsSealed()
  channel!: Sealed;

  @ValidateNested()
  @Type(() => SealedContent)
  content!: SealedContent;

  /** Index into the content's attachments. */
  @IsInt()
  @Min(0)
  attachment!: number;

  /** No attempt begins later. */
  @IsRfc3339()
  notAfter!: string;

  @IsIn(['atLeastOnce', 'atMostOnce'])
  delivery!: DeliveryPolicy;
}

export const slackOperations = defineStream('slack', 'operation', {
  'slack.send-message.v1': schemaOf(SendSlackMessage),
  'slack.upload-file.v1': schemaOf(UploadSlackFile),
});
