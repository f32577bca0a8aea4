import { IsArray, IsIn, IsString } from 'class-validator';
import { defineStream } from '#libs/kernel';
import { IsRfc3339, schemaOf } from '#libs/validation';
import { failureReasons, type FailureReason } from '../event/contents.js';
import { SendNotification } from './client.js';

/** What the team is told of: erasing a recipient is somebody's wish and no failure. */
export type EscalatedReason = Exclude<FailureReason, 'recipientErased'> | 'partiallySent' | 'bounced';
export const escalatedReasons: readonly EscalatedReason[] = [
  ...failureReasons.filter((reason) => reason !== 'recipientErased'),
  'partiallySent',
  'bounced',
];

/** The team that runs the installation is to be told that a notification failed, or came back. Holds no personal data. */
export class NotifyInternalTeam {
  @IsIn(escalatedReasons)
  reason!: EscalatedReason;

  /** What the channels said, each once: `email 550`, `email connect`, `email deadline`. */
  @IsArray()
  @IsString({ each: true })
  codes!: string[];

  @IsRfc3339()
  failedAt!: string;

  /** Revision of the notification's event stream that says it failed; of its last event where it came back. */
  @IsString()
  notificationRevision!: string;
}

/**
 * What the subsystem asks of itself; one stream a notification. That of a broadcast's member begins with what the
 * broadcast asks for.
 */
export const notificationInternalOperations = defineStream('notification', 'internalOperation', {
  'notification.send.v1': schemaOf(SendNotification),
  'notification.notify-internal-team.v1': schemaOf(NotifyInternalTeam),
});
