import { ArrayMaxSize, ArrayMinSize, IsArray, IsOptional } from 'class-validator';
import { defineStream } from '#libs/kernel';
import { NotificationMessage } from '#libs/notification';
import { IsId, schemaOf } from '#libs/validation';

/** Whose key seals what a broadcast says. */
export function broadcastOwner(broadcastId: string): string {
  return `broadcast/${broadcastId}`;
}

/** Tell several recipients the same: either those named, or the members of a group. */
export class SendBroadcast extends NotificationMessage {
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1_000)
  @IsId({ each: true })
  recipientIds?: string[];

  @IsOptional()
  @IsId()
  groupId?: string;
}

/** What clients ask for; one stream a broadcast. */
export const broadcastClientOperations = defineStream('broadcast', 'clientOperation', {
  'broadcast.send.v1': schemaOf(SendBroadcast),
});
