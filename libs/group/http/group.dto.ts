import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsNotEmpty,
  IsOptional,
  MaxLength,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';
import { IsHeaderSafe, IsId } from '#libs/validation';
import { sealedPrefix } from '#libs/vault';

const mostAtOnce = 1_000;

function IsNotAlsoAdded(): PropertyDecorator {
  return ValidateBy({
    name: 'isNotAlsoAdded',
    validator: {
      validate: (ids: unknown, args?: ValidationArguments) => {
        const added = new Set((args?.object as ChangeMembersDto).add ?? []);
        return !(ids as readonly string[]).some((id) => added.has(id));
      },
      defaultMessage: () => 'must not name who is also in add',
    },
  });
}

/** What stands in records in clear must not look sealed: whoever reads the records would have it opened. */
function IsNotSealed(): PropertyDecorator {
  const isClear = (value: unknown) => typeof value !== 'string' || !value.startsWith(sealedPrefix);
  return ValidateBy({
    name: 'isNotSealed',
    validator: {
      validate: (value: unknown) => (Array.isArray(value) ? value.every(isClear) : isClear(value)),
      defaultMessage: () => `must not start with ${sealedPrefix}`,
    },
  });
}

/** All of a group but its members: what is left out is removed. */
export class PutGroupDto {
  /** For people; not personal data, it stands in records in clear. */
  @IsOptional()
  @IsHeaderSafe()
  @IsNotEmpty()
  @MaxLength(200)
  @IsNotSealed()
  name?: string | null;
}

/** Recipient ids; whether there are such recipients shows when they are told something. */
export class ChangeMembersDto {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(mostAtOnce)
  @ArrayUnique()
  @IsId({ each: true })
  @IsNotSealed()
  add?: string[] | null;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(mostAtOnce)
  @ArrayUnique()
  @IsId({ each: true })
  @IsNotSealed()
  @IsNotAlsoAdded()
  remove?: string[] | null;
}
