import { emailEvents, emailOperations } from '#libs/channel/email';
import { idempotencyReservations } from '#libs/idempotency';
import { defineClient, runtimeTimers } from '#libs/runtime';
import { notificationEvents } from '../event/notification.js';
import { notificationClientOperations } from '../operations/client.js';
import { notificationSagas } from '../saga/delivery.js';
import { notificationViews } from '../view/notification-view.js';

/** Enqueues notifications and reads what became of them, as the API asks. */
export const notificationClient = defineClient({
  name: 'notification.http-client',
  looksUp: [
    notificationClientOperations,
    notificationEvents,
    notificationSagas,
    notificationViews,
    emailOperations,
    emailEvents,
    runtimeTimers,
    idempotencyReservations,
  ],
  writes: [notificationClientOperations, idempotencyReservations],
});
