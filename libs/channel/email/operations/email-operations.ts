import { ArrayMinSize, IsIn, IsOptional, ValidateNested } from 'class-validator';
import { SealedContent } from '#libs/content';
import { defineStream } from '#libs/kernel';
import type { DeliveryPolicy } from '#libs/runtime';
import { IsRfc3339, schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

export class SealedMailbox {
  @IsSealed()
  address!: Sealed;

  @IsOptional()
  @IsSealed()
  name!: Sealed | null;
}

/** One mail to send, with all that sending it needs. */
export class SendEmail {
  @ValidateNested({ each: true })
  @Type(() => SealedMailbox)
  @ArrayMinSize(1)
  to!: SealedMailbox[];

  @ValidateNested()
  @Type(() => SealedContent)
  content!: SealedContent;

  /** The `Date` of the mail, the same at every attempt. */
  @IsRfc3339()
  date!: string;

  /** No attempt begins later. */
  @IsRfc3339()
  notAfter!: string;

  @IsIn(['atLeastOnce', 'atMostOnce'])
  delivery!: DeliveryPolicy;
}

export const emailOperations = defineStream('email', 'operation', {
  'email.send.v1': schemaOf(SendEmail),
});
