import { IsInt, Max, Min, ValidateNested } from 'class-validator';
import { SealedContent } from '#libs/content';
import { defineStream } from '#libs/kernel';
import { IsId, schemaOf, Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

/** Tell somebody something again and again, until they are done. */
export class Remind {
  @IsId()
  recipientId!: string;

  @IsSealed()
  subject!: Sealed;

  @ValidateNested()
  @Type(() => SealedContent)
  content!: SealedContent;

  /** Seconds from one time to the next. */
  @IsInt()
  @Min(1)
  every!: number;

  /** How often at most. */
  @IsInt()
  @Min(1)
  @Max(100)
  times!: number;
}

/** They are done: no further time. */
export class Finish {}

/** What clients ask for; one stream a reminder. */
export const reminderClientOperations = defineStream('reminder', 'clientOperation', {
  'reminder.remind.v1': schemaOf(Remind),
  'reminder.finish.v1': schemaOf(Finish),
});
