import { ArrayMinSize, IsIn, IsOptional, IsString, ValidateNested } from 'class-validator';
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

/** Who the mail is from: the installation's own address, in clear. */
export class Sender {
  @IsString()
  address!: string;

  @IsOptional()
  @IsString()
  name?: string;
}

/** One mail to send, with all that sending it needs. */
export class SendEmail {
  /** Also gives the Message-ID its domain: the same at every attempt, whatever the settings have become. */
  @ValidateNested()
  @Type(() => Sender)
  sender!: Sender;

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
