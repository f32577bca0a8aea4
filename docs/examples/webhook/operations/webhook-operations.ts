import { IsIn, ValidateNested } from 'class-validator';
import { SealedContent } from '#libs/content';
import { defineStream } from '#libs/kernel';
import type { DeliveryPolicy } from '#libs/runtime';
import { IsRfc3339, schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

/** One message for the system behind the webhook, with all that posting it needs. */
export class PostToWebhook {
  /** Who it is to, there. */
  @IsSealed()
  to!: Sealed;

  @ValidateNested()
  @Type(() => SealedContent)
  content!: SealedContent;

  /** No attempt begins later. */
  @IsRfc3339()
  notAfter!: string;

  @IsIn(['atLeastOnce', 'atMostOnce'])
  delivery!: DeliveryPolicy;
}

/** One stream an operation, under its id. */
export const webhookOperations = defineStream('webhook', 'operation', {
  'webhook.post.v1': schemaOf(PostToWebhook),
});
