import { ArrayMaxSize, ArrayMinSize, IsArray } from 'class-validator';

/** Items of a batch at most. */
export const mostItems = 1_000;

export class PostBatchDto {
  /** Each is checked by itself: one that is not valid does not keep the others from being accepted. */
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(mostItems)
  items!: unknown[];
}
