import { IsInt, IsObject, IsString } from 'class-validator';
import { defineStream } from '#libs/kernel';
import { schemaOf } from '#libs/validation';
import type { NotificationState } from '../event/notification.js';

/** The version of the aggregate's `evolve`: a snapshot of another one is not used. */
export const foldVersion = 2;

/** The aggregate at its end. Never the truth: the events are. */
export class NotificationSnapshot {
  @IsInt()
  foldVersion!: number;

  /** Revision of the event stream it was folded up to. */
  @IsString()
  revision!: string;

  @IsObject()
  state!: NotificationState;
}

/** One stream a notification. */
export const notificationSnapshots = defineStream('notification', 'snapshot', {
  'notification.snapshot.v1': schemaOf(NotificationSnapshot),
});
