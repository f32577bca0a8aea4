import { isUuid } from '#libs/kernel';
import { conflict, notFound } from '#libs/http';
import { loadAggregate, type ClientContext } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { memberOf, metadataOfMember } from '../event/broadcast-member.js';
import { isTerminal, notification, notificationEvents } from '../event/notification.js';
import { notificationClientOperations } from '../operations/client.js';
import { readRequest } from '../operations/read-request.js';
import { metadataOf, type RequestContext } from './accept-once.js';
import type { notificationClient } from './notification-client.js';

type Client = ClientContext<(typeof notificationClient.looksUp)[number], (typeof notificationClient.writes)[number]>;

export interface Cancelling {
  /** `cancelling`: what has not gone out will not, and its status tells what came of it. `cancelled`: it is already. */
  readonly status: 'cancelling' | 'cancelled';
  /** Of the operation; undefined where there is none, or the store does not tell. */
  readonly position: bigint | undefined;
}

/**
 * Enqueues the cancelling of a notification, once; durable before it resolves.
 * @throws Problem 404, Problem 409 – it has ended otherwise –, InvalidRecord, StoreUnavailable
 */
export async function cancel(
  client: Client,
  id: string,
  request: Pick<RequestContext, 'caller' | 'traceparent'>,
): Promise<Cancelling> {
  const asked = isUuid(id) ? await readRequest(client, id) : undefined;
  if (asked === undefined) throw notFound('there is no such notification');
  const { status } = (await loadAggregate(client, notificationEvents, notification, id)).state;
  if (status === 'cancelled') return { status, position: undefined };
  if (isTerminal(status)) throw conflict(`it has ended already: ${status}`, 'notification-ended');
  const member = memberOf(asked);
  const metadata = { ...(member && metadataOfMember(member)), ...metadataOf(request) };
  for (;;) {
    const last = await client.last(notificationClientOperations, id);
    if (last?.type === 'notification.cancel.v1') return { status: 'cancelling', position: last.position };
    try {
      const { position } = await client.append(
        notificationClientOperations,
        id,
        last?.revision ?? 'noStream',
        [{ type: 'notification.cancel.v1', data: {} }],
        { correlationId: id, metadata },
      );
      return { status: 'cancelling', position };
    } catch (error) {
      // Somebody else cancels it at the same time.
      if (!(error instanceof WrongExpectedRevision)) throw error;
    }
  }
}
