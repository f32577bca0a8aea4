import { idempotencyReservations } from '#libs/idempotency';
import { defineClient, runtimeTimers } from '#libs/runtime';
import { channelEvents, channelOperations } from '../channels.js';
import { uploadEvents } from '#libs/upload';
import { notificationEvents } from '../event/notification.js';
import { notificationClientOperations } from '../operations/client.js';
import { notificationInternalOperations } from '../operations/internal.js';
import { notificationSagas } from '../saga/delivery.js';
import { notificationSnapshots } from '../snapshot/notification-snapshot.js';
import { notificationViews } from '../view/notification-view.js';

/** Enqueues notifications and reads what became of them, as the API asks. */
export const notificationClient = defineClient({
  name: 'notification.http-client',
  looksUp: [
    notificationClientOperations,
    notificationInternalOperations,
    notificationEvents,
    notificationSagas,
    notificationViews,
    notificationSnapshots,
    ...channelOperations,
    ...channelEvents,
    runtimeTimers,
    idempotencyReservations,
    uploadEvents,
  ],
  writes: [notificationClientOperations, idempotencyReservations],
});
