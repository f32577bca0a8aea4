import { IsNotEmpty, IsOptional, MaxLength, ValidateBy, ValidateNested, type ValidationOptions } from 'class-validator';
import { IsEmailAddress, IsHeaderSafe, Type, withSchema } from '#libs/validation';
import { Preferences } from '../event/preferences.js';

function IsLocale(options?: ValidationOptions): PropertyDecorator {
  const validate = (value: unknown) => typeof value === 'string' && isKnown(() => new Intl.Locale(value));
  return ValidateBy(
    { name: 'isLocale', validator: { validate, defaultMessage: () => 'must be a language tag like en or uk-UA' } },
    withSchema({ type: 'string' }, options),
  );
}

function IsTimeZoneName(options?: ValidationOptions): PropertyDecorator {
  const validate = (value: unknown) =>
    typeof value === 'string' && isKnown(() => new Intl.DateTimeFormat('en', { timeZone: value }));
  return ValidateBy(
    { name: 'isTimeZone', validator: { validate, defaultMessage: () => 'must be a time zone like Europe/Kyiv' } },
    withSchema({ type: 'string' }, options),
  );
}

function isKnown(construct: () => unknown): boolean {
  try {
    construct();
    return true;
  } catch {
    return false;
  }
}

export class EmailChannelDto {
  @IsEmailAddress()
  address!: string;
}

export class SlackChannelDto {
  /** A channel or user id, or a channel's name. */
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(80)
  channel!: string;
}

export class ChannelsDto {
  @IsOptional()
  @ValidateNested()
  @Type(() => EmailChannelDto)
  email?: EmailChannelDto | null;

  @IsOptional()
  @ValidateNested()
  @Type(() => SlackChannelDto)
  slack?: SlackChannelDto | null;
}

/** All of a recipient: what is left out is removed. */
export class PutRecipientDto {
  @IsOptional()
  @IsHeaderSafe()
  @MaxLength(200)
  displayName?: string | null;

  @IsOptional()
  @IsLocale()
  locale?: string | null;

  @IsOptional()
  @IsTimeZoneName()
  timeZone?: string | null;

  @ValidateNested()
  @Type(() => ChannelsDto)
  channels!: ChannelsDto;

  @IsOptional()
  @ValidateNested()
  @Type(() => Preferences)
  preferences?: Preferences | null;
}
