import type { Accepted, RequestContext } from './accept-once.js';
import type { PostNotificationDto, PostToManyDto, PostToOneDto } from './post-notification.dto.js';

/** Injection token of `Broadcasts`. */
export const BROADCASTS = Symbol('broadcasts');

/** What takes requests to tell several recipients. */
export interface Broadcasts {
  /** Enqueues a broadcast; durable before it resolves. @throws as `accept` of one notification */
  accept(dto: PostToManyDto, request: RequestContext): Promise<Accepted>;
}

export function isToOne(dto: PostNotificationDto): dto is PostToOneDto {
  return dto.recipientId != null;
}
