import {
  ArrayMaxSize,
  IsArray,
  IsBase64,
  IsBoolean,
  IsIn,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { severities, type Severity } from '#libs/recipient';
import { IsEmailAddress, IsHeaderSafe, IsId, IsRfc3339, IsTags, Type } from '#libs/validation';

const mediaType = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/;
const mostAddresses = 50;
const mostAttachments = 50;

export class NamedAddressDto {
  @IsEmailAddress()
  address!: string;

  @IsOptional()
  @IsHeaderSafe()
  @MaxLength(200)
  name?: string | null;
}

/** What only mail knows. */
export class EmailOptionsDto {
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => NamedAddressDto)
  @ArrayMaxSize(mostAddresses)
  cc?: NamedAddressDto[] | null;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => NamedAddressDto)
  @ArrayMaxSize(mostAddresses)
  bcc?: NamedAddressDto[] | null;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => NamedAddressDto)
  @ArrayMaxSize(mostAddresses)
  replyTo?: NamedAddressDto[] | null;

  @IsOptional()
  @IsIn(['high', 'normal', 'low'])
  priority?: 'high' | 'normal' | 'low' | null;

  @IsOptional()
  @IsBoolean()
  deliveryStatus?: boolean | null;
}

/** What only Slack knows. */
export class SlackOptionsDto {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsObject({ each: true })
  blocks?: object[] | null;
}

export class AttachmentDto {
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(255)
  @Matches(/^[^/\\]*$/, { message: 'must be a file name without slashes' })
  fileName!: string;

  @Matches(mediaType, { message: 'must be a media type like application/pdf' })
  mediaType!: string;

  /** At least one byte. */
  @IsNotEmpty()
  @IsBase64()
  content!: string;

  /** Makes it an image that the HTML shows inline as `cid:<contentId>`. */
  @IsOptional()
  @Matches(/^[\w.@+-]{1,128}$/, { message: 'must be 1 to 128 of letters, digits and . _ @ + -' })
  contentId?: string | null;
}

export class ContentDto {
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(998)
  subject!: string;

  @IsString()
  @IsNotEmpty()
  text!: string;

  @IsOptional()
  @IsString()
  @IsNotEmpty()
  html?: string | null;

  @IsOptional()
  @ValidateNested()
  @Type(() => EmailOptionsDto)
  email?: EmailOptionsDto | null;

  @IsOptional()
  @ValidateNested()
  @Type(() => SlackOptionsDto)
  slack?: SlackOptionsDto | null;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => AttachmentDto)
  @ArrayMaxSize(mostAttachments)
  attachments?: AttachmentDto[] | null;
}

export class AboutDto {
  @IsOptional()
  @IsId()
  processId?: string | null;

  @IsOptional()
  @IsHeaderSafe()
  @MaxLength(200)
  entityType?: string | null;

  @IsOptional()
  @IsId()
  entityId?: string | null;
}

export class PostNotificationDto {
  @IsId()
  recipientId!: string;

  @IsOptional()
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(64)
  category?: string | null;

  @IsOptional()
  @IsIn(severities)
  severity?: Severity | null;

  @ValidateNested()
  @Type(() => ContentDto)
  content!: ContentDto;

  @IsOptional()
  @ValidateNested()
  @Type(() => AboutDto)
  about?: AboutDto | null;

  @IsOptional()
  @IsTags()
  tags?: Record<string, string> | null;

  @IsOptional()
  @IsRfc3339()
  deliverAt?: string | null;

  @IsOptional()
  @IsRfc3339()
  expiresAt?: string | null;
}
