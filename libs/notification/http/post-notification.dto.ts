import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBase64,
  IsBoolean,
  IsIn,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  IsUrl,
  Matches,
  MaxLength,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationArguments,
} from 'class-validator';
import { severities, type Severity } from '#libs/recipient';
import { IsEmailAddress, IsHeaderSafe, IsId, IsRfc3339, IsTags, Type } from '#libs/validation';

const mediaType = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/;
const mostAddresses = 50;
const mostAttachments = 50;
const mostRecipients = 1_000;
/** What Slack would cut off. */
const longestSlackText = 40_000;

/** Only HTML shows an inline image: a mail that has the one without the other cannot be composed. */
function HasHtmlForInlineImages(): PropertyDecorator {
  return ValidateBy({
    name: 'hasHtmlForInlineImages',
    validator: {
      validate: (attachments: unknown, args?: ValidationArguments) =>
        (args?.object as ContentDto).html != null || !(attachments as unknown[]).some(isInline),
      defaultMessage: () =>
        'must not have a contentId where the content has no html: it makes an image that html shows',
    },
  });
}

function isInline(attachment: unknown): boolean {
  return (attachment as AttachmentDto | null)?.contentId != null;
}

function IsWithoutContent(): PropertyDecorator {
  return ValidateBy({
    name: 'isWithoutContent',
    validator: {
      validate: (_blobId: unknown, args?: ValidationArguments) => (args?.object as AttachmentDto).content == null,
      defaultMessage: () => 'must not stand beside content',
    },
  });
}

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
  @IsString()
  @IsNotEmpty()
  @MaxLength(longestSlackText)
  text?: string | null;

  @IsOptional()
  @IsBoolean()
  mrkdwn?: boolean | null;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsObject({ each: true })
  blocks?: object[] | null;

  @IsOptional()
  @Matches(/^\d{1,10}\.\d{1,6}$/, { message: "must be a message's timestamp like 1700000000.000100" })
  threadTs?: string | null;

  @IsOptional()
  @IsBoolean()
  linkNames?: boolean | null;

  @IsOptional()
  @IsBoolean()
  unfurlLinks?: boolean | null;

  @IsOptional()
  @IsBoolean()
  unfurlMedia?: boolean | null;

  @IsOptional()
  @Matches(/^:[^\s:]{1,100}:(:skin-tone-[2-6]:)?$/, { message: 'must be an emoji like :bell:' })
  iconEmoji?: string | null;

  @IsOptional()
  @IsUrl({ protocols: ['https', 'http'], require_protocol: true }, { message: 'must be an http or https URL' })
  @MaxLength(2_000)
  iconUrl?: string | null;

  @IsOptional()
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(80)
  username?: string | null;
}

export class AttachmentDto {
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(255)
  @Matches(/^[^/\\]*$/, { message: 'must be a file name without slashes' })
  fileName!: string;

  @Matches(mediaType, { message: 'must be a media type like application/pdf' })
  mediaType!: string;

  /** At least one byte. Either this or a `blobId`. */
  @ValidateIf(({ content, blobId }: AttachmentDto) => content != null || blobId == null)
  @IsNotEmpty()
  @IsBase64()
  content?: string | null;

  /** Of an upload. */
  @IsOptional()
  @IsWithoutContent()
  @IsString()
  blobId?: string | null;

  /** Makes it an image that the HTML shows inline as `cid:<contentId>`. */
  @IsOptional()
  @Matches(/^[\w.@+-]{1,128}$/, { message: 'must be 1 to 128 of letters, digits and . _ @ + -' })
  contentId?: string | null;
}

/** What a mail says, whoever composes it. */
export class MailTextDto {
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
}

export class ContentDto extends MailTextDto {
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
  @HasHtmlForInlineImages()
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

/** What is to be told, whoever is told. */
export class MessageDto {
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

type Recipients = Pick<PostNotificationDto, 'recipientId' | 'recipientIds' | 'groupId'>;

/** A request names one recipient, several, or a group. */
function IsOnlyNamed(property: keyof Recipients): PropertyDecorator {
  return ValidateBy({
    name: 'isOnlyNamed',
    validator: {
      validate: (_value: unknown, args?: ValidationArguments) => {
        const { recipientId, recipientIds, groupId } = args?.object as Recipients;
        return Object.entries({ recipientId, recipientIds, groupId }).every(
          ([name, value]) => name === property || value == null,
        );
      },
      defaultMessage: () => 'must be the only one of recipientId, recipientIds and groupId',
    },
  });
}

/** A request to tell one recipient. */
export class PostToOneDto extends MessageDto {
  @IsId()
  recipientId!: string;
}

export class PostNotificationDto extends MessageDto {
  @ValidateIf(
    ({ recipientId, recipientIds, groupId }: Recipients) => recipientId != null || (recipientIds ?? groupId) == null,
  )
  @IsId()
  recipientId?: string | null;

  /** Each is told by a notification of their own. */
  @IsOptional()
  @IsOnlyNamed('recipientIds')
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(mostRecipients)
  @ArrayUnique()
  @IsId({ each: true })
  recipientIds?: string[] | null;

  /** As `recipientIds`: whoever is in the group when it is taken up. */
  @IsOptional()
  @IsOnlyNamed('groupId')
  @IsId()
  groupId?: string | null;
}

/** A request to tell several. */
export type PostToManyDto = MessageDto & Pick<PostNotificationDto, 'recipientIds' | 'groupId'>;
