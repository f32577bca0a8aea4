import { groupEvents } from '#libs/group';
import { idempotencyReservations } from '#libs/idempotency';
import { defineClient } from '#libs/runtime';
import { uploadEvents } from '#libs/upload';
import { broadcastEvents } from '../event/broadcast.js';
import { broadcastClientOperations } from '../operations/client.js';
import { broadcastViews } from '../view/broadcast-view.js';

/** Enqueues broadcasts and reads what became of them, as the API asks. */
export const broadcastClient = defineClient({
  name: 'broadcast.http-client',
  looksUp: [
    broadcastClientOperations,
    broadcastEvents,
    broadcastViews,
    groupEvents,
    idempotencyReservations,
    uploadEvents,
  ],
  writes: [broadcastClientOperations, idempotencyReservations],
});
