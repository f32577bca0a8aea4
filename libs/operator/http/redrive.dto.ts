import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsOptional,
  IsString,
  IsUUID,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { Type } from '#libs/validation';
import type { ParkedFilter } from '../parked/parked-filter.js';

const longestText = 500;
const mostIds = 1_000;

/** Which parked records; every condition given has to hold, and none means all. */
export class RedriveFilterDto implements ParkedFilter {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(mostIds)
  @IsUUID('all', { each: true })
  ids?: string[] | null;

  @IsOptional()
  @IsString()
  @MaxLength(longestText)
  consumer?: string | null;

  @IsOptional()
  @IsString()
  @MaxLength(longestText)
  type?: string | null;

  @IsOptional()
  @IsString()
  @MaxLength(longestText)
  stream?: string | null;

  @IsOptional()
  @IsString()
  @MaxLength(longestText)
  correlationId?: string | null;

  /** Text that the last error contains. */
  @IsOptional()
  @IsString()
  @MaxLength(longestText)
  error?: string | null;
}

export class RedriveDto {
  @ValidateNested()
  @Type(() => RedriveFilterDto)
  filter!: RedriveFilterDto;

  /** Only tells what would be redriven. Default false. */
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean | null;
}
