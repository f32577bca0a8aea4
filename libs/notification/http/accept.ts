import { recipientOwner } from '#libs/recipient';
import type { ClientContext } from '#libs/runtime';
import { notificationClientOperations } from '../operations/client.js';
import { acceptOnce, metadataOf, type Accepted, type RequestContext } from './accept-once.js';
import type { notificationClient } from './notification-client.js';
import type { PostToOneDto } from './post-notification.dto.js';
import { sealRequest, uploadsCheck, type SealServices } from './seal-request.js';

export interface AcceptServices extends SealServices {
  readonly client: ClientContext<
    (typeof notificationClient.looksUp)[number],
    (typeof notificationClient.writes)[number]
  >;
}

/**
 * Enqueues a notification; durable before it resolves.
 * @throws IdempotencyKeyReused, Problem 422 – a blob that is attached is not known –, StoreUnavailable
 */
export function accept(services: AcceptServices, dto: PostToOneDto, request: RequestContext): Promise<Accepted> {
  const { client } = services;
  const { recipientId } = dto;
  const { now } = request;
  const owner = recipientOwner(recipientId);
  return acceptOnce(
    services,
    {
      operations: notificationClientOperations,
      body: dto,
      hashOwner: owner,
      check: uploadsCheck(services, dto, now),
      async enqueue(id, eventId) {
        const data = { recipientId, ...(await sealRequest(services, owner, id, dto, now)) };
        const { position } = await client.append(
          notificationClientOperations,
          id,
          'noStream',
          [{ type: 'notification.send.v1', data }],
          { correlationId: id, ids: [eventId], metadata: metadataOf(request) },
        );
        return position;
      },
    },
    request,
  );
}
