import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsString, Min } from 'class-validator';
import { defineStream, deriveId } from '#libs/kernel';
import { schemaOf } from '#libs/validation';

/** Members of a page. */
export const pageSize = 500;

/** Tell these members of a broadcast. */
export class NotifyMembers {
  @IsInt()
  @Min(0)
  page!: number;

  /** Which of the broadcast's members comes first in it, from 0. */
  @IsInt()
  @Min(0)
  firstOrdinal!: number;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(pageSize)
  @IsString({ each: true })
  recipientIds!: string[];
}

/** The pages of the broadcasts; one stream a page. */
export const broadcastInternalOperations = defineStream('broadcast', 'internalOperation', {
  'broadcast.notify-members.v1': schemaOf(NotifyMembers),
});

/** Key of a page's stream. */
export function pageKey(broadcastId: string, page: number): string {
  return `${broadcastId}.${page}`;
}

/** Id of the notification that tells a member; it sorts by the time of the broadcast. */
export function memberNotificationId(broadcastId: string, ordinal: number): string {
  return deriveId(broadcastId, 'notification', ordinal);
}
