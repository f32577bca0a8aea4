import { IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { Type } from '#libs/validation';
import { IsSealed, type Sealed } from '#libs/vault';

/** Where a blob stands: see `BlobRef` of the blob library. */
export class StoredBlob {
  @IsString()
  keyId!: string;

  @IsString()
  id!: string;

  @IsInt()
  @Min(0)
  size!: number;
}

/** What a notification says, sealed: inline when it is small, else in a blob. One of the two is there. */
export class SealedContent {
  /** A sealed JSON text of `Content`. */
  @IsOptional()
  @IsSealed()
  inline?: Sealed;

  @IsOptional()
  @ValidateNested()
  @Type(() => StoredBlob)
  blob?: StoredBlob;
}
