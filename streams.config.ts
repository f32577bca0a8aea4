/**
 * The topology: every stream with those who write it and those who read it. A handler that reads or writes a stream
 * without being listed here does not compile.
 */
import { emailClient, emailEvents, emailOperations, sendEmailBot } from '#libs/channel/email';
import { idempotencyReservations } from '#libs/idempotency';
import {
  deliverySagaHandler,
  fanOutBot,
  notificationClient,
  notificationClientOperations,
  notificationEvents,
  notificationSagas,
  notificationSnapshots,
  notificationViews,
  sendBot,
  viewProjector,
  type DeliveryRules,
} from '#libs/notification';
import { erasureReactor, recipientClient, recipientEvents } from '#libs/recipient';
import { defineTopology, runtimeTimers, stream, timersReactor } from '#libs/runtime';

export const topology = defineTopology([
  stream(idempotencyReservations, { producers: [notificationClient], consumers: [notificationClient] }),

  stream(recipientEvents, { producers: [recipientClient], consumers: [recipientClient, sendBot, erasureReactor] }),

  stream(notificationClientOperations, { producers: [notificationClient], consumers: [notificationClient, sendBot] }),
  stream(notificationEvents, {
    producers: [sendBot, deliverySagaHandler],
    consumers: [sendBot, fanOutBot, deliverySagaHandler, viewProjector, notificationClient],
  }),
  stream(notificationSagas, { producers: [fanOutBot], consumers: [deliverySagaHandler, notificationClient] }),
  stream(notificationViews, { producers: [viewProjector], consumers: [viewProjector, notificationClient] }),
  stream(notificationSnapshots, { producers: [viewProjector], consumers: [] }),

  stream(emailOperations, { producers: [fanOutBot], consumers: [sendEmailBot, notificationClient] }),
  stream(emailEvents, {
    producers: [sendEmailBot],
    consumers: [sendEmailBot, deliverySagaHandler, viewProjector, notificationClient, emailClient],
  }),

  stream(runtimeTimers, {
    producers: [sendBot, deliverySagaHandler, timersReactor],
    consumers: [timersReactor, sendBot, deliverySagaHandler, notificationClient],
  }),
]);

const hour = 3_600_000;

/** How notifications are delivered. */
export const deliveryRules: DeliveryRules = {
  window: 24 * hour,
  policy: { default: 'atLeastOnce' },
};

/** Waits between attempts to send a mail, in milliseconds; the last one repeats until the notification's time is over. */
export const emailRetryDelays: readonly number[] = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000, 900_000];
