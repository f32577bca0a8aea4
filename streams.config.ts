/**
 * The topology: every stream with those who write it and those who read it. A handler that reads or writes a stream
 * without being listed here does not compile.
 */
import {
  broadcastClient,
  broadcastClientOperations,
  broadcastEvents,
  broadcastFanOutBot,
  broadcastInternalOperations,
  broadcastRetentionReactor,
  broadcastSendBot,
  broadcastViewProjector,
  broadcastViews,
} from '#libs/broadcast';
import { bounceClient, emailClient, emailEvents, emailOperations, sendEmailBot } from '#libs/channel/email';
import { sendSlackBot, slackClient, slackEvents, slackOperations } from '#libs/channel/slack';
import { groupClient, groupEvents } from '#libs/group';
import { idempotencyReservations } from '#libs/idempotency';
import {
  bounceReactor,
  deliverySagaHandler,
  escalationBot,
  escalationEvents,
  escalationFanOutBot,
  escalationReactor,
  escalationRetention,
  fanOutBot,
  notificationClient,
  notificationClientOperations,
  notificationEvents,
  notificationInternalOperations,
  notificationListClient,
  notificationSagas,
  notificationSnapshots,
  notificationViews,
  retentionReactor,
  sendBot,
  viewProjector,
  type DeliveryRules,
  type EscalationPace,
} from '#libs/notification';
import { erasureReactor, recipientClient, recipientEvents } from '#libs/recipient';
import { defineTopology, runtimeAgendas, runtimeTimers, stream, timersReactor } from '#libs/runtime';
import { uploadClient, uploadEvents, uploadExpiryReactor } from '#libs/upload';

export const topology = defineTopology([
  stream(idempotencyReservations, {
    producers: [notificationClient, broadcastClient],
    consumers: [notificationClient, broadcastClient],
  }),

  stream(recipientEvents, {
    producers: [recipientClient, bounceReactor],
    consumers: [recipientClient, sendBot, erasureReactor, bounceReactor, notificationListClient],
  }),

  stream(groupEvents, {
    producers: [groupClient],
    consumers: [groupClient, broadcastSendBot, broadcastFanOutBot, broadcastClient],
  }),

  stream(broadcastClientOperations, {
    producers: [broadcastClient],
    consumers: [broadcastSendBot, broadcastFanOutBot, broadcastClient],
  }),
  stream(broadcastEvents, {
    producers: [broadcastSendBot],
    consumers: [broadcastSendBot, broadcastFanOutBot, broadcastViewProjector, broadcastClient],
  }),
  stream(broadcastInternalOperations, { producers: [broadcastFanOutBot], consumers: [broadcastFanOutBot] }),
  stream(broadcastViews, {
    producers: [broadcastViewProjector],
    consumers: [broadcastViewProjector, broadcastClient],
  }),

  stream(uploadEvents, {
    producers: [uploadClient, uploadExpiryReactor],
    consumers: [uploadClient, uploadExpiryReactor, notificationClient, broadcastClient],
  }),

  stream(notificationClientOperations, {
    producers: [notificationClient],
    consumers: [notificationClient, sendBot],
  }),
  stream(notificationEvents, {
    producers: [sendBot, deliverySagaHandler, escalationFanOutBot],
    consumers: [
      sendBot,
      fanOutBot,
      deliverySagaHandler,
      viewProjector,
      retentionReactor,
      escalationReactor,
      escalationFanOutBot,
      bounceReactor,
      broadcastFanOutBot,
      broadcastViewProjector,
      notificationClient,
    ],
  }),
  stream(notificationInternalOperations, {
    producers: [broadcastFanOutBot, escalationReactor, bounceReactor],
    consumers: [sendBot, escalationReactor, escalationBot, bounceReactor, notificationClient],
  }),
  stream(escalationEvents, {
    producers: [escalationBot],
    consumers: [escalationBot, escalationFanOutBot],
    retention: escalationRetention,
  }),
  stream(notificationSagas, { producers: [fanOutBot], consumers: [sendBot, deliverySagaHandler, notificationClient] }),
  stream(notificationViews, {
    producers: [viewProjector],
    consumers: [viewProjector, notificationClient, notificationListClient],
  }),
  stream(notificationSnapshots, { producers: [viewProjector], consumers: [notificationClient] }),

  stream(emailOperations, {
    producers: [fanOutBot, escalationFanOutBot],
    consumers: [sendEmailBot, bounceClient, notificationClient],
  }),
  stream(emailEvents, {
    producers: [sendEmailBot, sendBot, bounceClient],
    consumers: [
      sendEmailBot,
      sendBot,
      deliverySagaHandler,
      viewProjector,
      retentionReactor,
      escalationReactor,
      bounceReactor,
      notificationClient,
      emailClient,
      bounceClient,
    ],
  }),

  stream(slackOperations, { producers: [fanOutBot], consumers: [sendSlackBot, notificationClient] }),
  stream(slackEvents, {
    producers: [sendSlackBot, sendBot],
    consumers: [
      sendSlackBot,
      sendBot,
      deliverySagaHandler,
      viewProjector,
      retentionReactor,
      escalationReactor,
      notificationClient,
      slackClient,
    ],
  }),

  stream(runtimeTimers, {
    producers: [
      sendBot,
      deliverySagaHandler,
      escalationBot,
      retentionReactor,
      broadcastSendBot,
      uploadClient,
      timersReactor,
    ],
    consumers: [
      timersReactor,
      sendBot,
      deliverySagaHandler,
      escalationBot,
      retentionReactor,
      broadcastRetentionReactor,
      uploadExpiryReactor,
      notificationClient,
    ],
  }),
  stream(runtimeAgendas, { producers: [timersReactor], consumers: [timersReactor] }),
]);

const hour = 3_600_000;

/** How notifications are delivered; the rest of the rules are settings. */
export const deliveryRules: Omit<DeliveryRules, 'onChannelFailure'> = {
  window: 24 * hour,
  policy: { default: 'atLeastOnce' },
};

/** Waits between attempts to send a mail, in milliseconds; the last one repeats until the notification's time is over. */
export const emailRetryDelays: readonly number[] = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000, 900_000];

/** Waits between attempts to post to Slack, likewise. Slack's own wish (`Retry-After`) counts where it is longer. */
export const slackRetryDelays: readonly number[] = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000, 900_000];

/** Milliseconds between two messages to one Slack channel: Slack takes about one a second. */
export const slackInterval = 1_000;

const minute = 60_000;

/** How often the team is told of notifications that fail. */
export const escalationPace: EscalationPace = {
  gathering: 1_000,
  pauses: [minute, 5 * minute, 15 * minute, hour],
};
