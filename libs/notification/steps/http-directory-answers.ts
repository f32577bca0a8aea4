import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { IsEmailAddress, IsHeaderSafe, IsUnionOf, Type } from '#libs/validation';
import { MailTextDto } from '../http/post-notification.dto.js';

// What a directory may answer; docs/directory.md shows it.

class DirectoryAnswer {
  /** What went wrong, for people. */
  @IsOptional()
  @ArrayMaxSize(20)
  @IsString({ each: true })
  @MaxLength(1_000, { each: true })
  failures?: string[] | null;

  /** What to do with the rest of an answer that has failures; `stop` unless it says otherwise. */
  @IsOptional()
  @IsIn(['proceed', 'stop'])
  ifFailed?: 'proceed' | 'stop' | null;
}

class AudienceDto {
  @IsOptional()
  @IsHeaderSafe()
  @MaxLength(200)
  displayName?: string | null;
}

export class AudienceAnswer extends DirectoryAnswer {
  /** Null: there is nobody of that id. */
  @IsOptional()
  @ValidateNested()
  @Type(() => AudienceDto)
  audience?: AudienceDto | null;
}

class EmailChannelDto {
  @IsIn(['email'])
  channel!: 'email';

  @IsOptional()
  @IsEmailAddress()
  to?: string | null;

  @IsOptional()
  @IsBoolean()
  optedOut?: boolean | null;
}

class SlackChannelDto {
  @IsIn(['slack'])
  channel!: 'slack';

  /** The id of a channel or user, or a channel's name. */
  @IsOptional()
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(80)
  to?: string | null;

  @IsOptional()
  @IsBoolean()
  optedOut?: boolean | null;
}

export class ChannelsAnswer extends DirectoryAnswer {
  /** In the order of preference. */
  @IsOptional()
  @IsUnionOf('channel', () => ({ email: EmailChannelDto, slack: SlackChannelDto }), { each: true })
  @ArrayMaxSize(20)
  channels?: (EmailChannelDto | SlackChannelDto)[] | null;
}

export class SendEmailDto {
  @IsIn(['SendEmail'])
  type!: 'SendEmail';

  /** In place of the channel's address. */
  @IsOptional()
  @IsEmailAddress()
  to?: string | null;

  /** In place of the notification's. */
  @IsOptional()
  @ValidateNested()
  @Type(() => MailTextDto)
  content?: MailTextDto | null;
}

class SlackContentDto {
  @IsString()
  @IsNotEmpty()
  text!: string;

  @IsOptional()
  @IsBoolean()
  mrkdwn?: boolean | null;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsObject({ each: true })
  blocks?: object[] | null;
}

export class SendSlackMessageDto {
  @IsIn(['SendSlackMessage'])
  type!: 'SendSlackMessage';

  /** In place of the channel's. */
  @IsOptional()
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(80)
  to?: string | null;

  /** In place of the notification's. */
  @IsOptional()
  @ValidateNested()
  @Type(() => SlackContentDto)
  content?: SlackContentDto | null;
}

export class UploadFileToSlackDto {
  @IsIn(['UploadFileToSlack'])
  type!: 'UploadFileToSlack';

  /** In place of the channel's. */
  @IsOptional()
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(80)
  to?: string | null;

  /** Index into the notification's attachments. */
  @IsInt()
  @Min(0)
  attachment!: number;
}

export type OperationDto = SendEmailDto | SendSlackMessageDto | UploadFileToSlackDto;

export class PrepareAnswer extends DirectoryAnswer {
  /** In the order in which they are to be enqueued. */
  @IsOptional()
  @IsUnionOf(
    'type',
    () => ({
      SendEmail: SendEmailDto,
      SendSlackMessage: SendSlackMessageDto,
      UploadFileToSlack: UploadFileToSlackDto,
    }),
    { each: true },
  )
  @ArrayMaxSize(50)
  operations?: OperationDto[] | null;
}
