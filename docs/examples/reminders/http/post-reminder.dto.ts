import { IsInt, IsNotEmpty, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsHeaderSafe, IsId } from '#libs/validation';

export class PostReminderDto {
  @IsId()
  recipientId!: string;

  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(200)
  subject!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(3_000)
  text!: string;

  /** Seconds from one time to the next. */
  @IsInt()
  @Min(1)
  @Max(31_536_000)
  every!: number;

  /** How often at most. */
  @IsInt()
  @Min(1)
  @Max(100)
  times!: number;
}
