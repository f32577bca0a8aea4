import {
  acceptOnce,
  metadataOf,
  sealRequest,
  uploadsCheck,
  type Accepted,
  type Broadcasts,
  type PostToManyDto,
  type RequestContext,
  type SealServices,
} from '#libs/notification';
import type { ClientContext } from '#libs/runtime';
import { broadcastClientOperations, broadcastOwner } from '../operations/client.js';
import type { broadcastClient } from './broadcast-client.js';

export interface AcceptServices extends SealServices {
  readonly client: ClientContext<(typeof broadcastClient.looksUp)[number], (typeof broadcastClient.writes)[number]>;
}

/** Whose key seals the hashes of requests: a broadcast has no owner before it has an id. */
const hashOwner = 'broadcasts';

/** Takes requests to tell several recipients. */
export class BroadcastAcceptor implements Broadcasts {
  constructor(private readonly services: AcceptServices) {}

  accept(dto: PostToManyDto, request: RequestContext): Promise<Accepted> {
    const { services } = this;
    const { now } = request;
    return acceptOnce(
      services,
      {
        operations: broadcastClientOperations,
        body: dto,
        hashOwner,
        check: uploadsCheck(services, dto, now),
        async enqueue(id, eventId) {
          const message = await sealRequest(services, broadcastOwner(id), id, dto, now);
          const { position } = await services.client.append(
            broadcastClientOperations,
            id,
            'noStream',
            [{ type: 'broadcast.send.v1', data: { ...message, ...recipientsOf(dto) } }],
            { correlationId: id, ids: [eventId], metadata: metadataOf(request) },
          );
          return position;
        },
      },
      request,
    );
  }
}

function recipientsOf({ recipientIds, groupId }: PostToManyDto): { recipientIds?: string[]; groupId?: string } {
  if (recipientIds != null) return { recipientIds: [...recipientIds] };
  return groupId == null ? {} : { groupId };
}
