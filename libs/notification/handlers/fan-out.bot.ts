import { defineBot } from '#libs/runtime';
import { channelOperations, channelStreams, requestOf } from '../channels.js';
import { notificationEvents } from '../event/notification.js';
import { notificationSagas } from '../saga/delivery.js';

/**
 * Carries a decision out: starts the saga, then enqueues the operations in order. It reads nothing but the decision
 * event, and the saga stands before any operation, so that no outcome comes before somebody waits for it.
 */
export const fanOutBot = defineBot({
  name: 'notification.fan-out-bot',
  reads: [notificationEvents],
  writes: [notificationSagas, ...channelOperations],
  concurrency: 128,
  create: () => ({
    async handle(record, context) {
      if (record.type !== 'notification.prepared.v1') return;
      const { operations, deadline } = record.data;
      const started = {
        operations: operations.map(({ id, channel }) => ({
          operationId: id,
          channel,
          succeededType: channelStreams[channel].effects.succeeded,
          failedType: channelStreams[channel].effects.failed,
        })),
        deadline,
        notificationRevision: String(record.revision),
      };
      await context.append(
        context.write(notificationSagas, context.correlationId, 'noStream', [
          { type: 'notification.delivery-started.v1', data: started },
        ]),
        ...operations.map((operation) =>
          context.write(channelStreams[operation.channel].operations, operation.id, 'noStream', [requestOf(operation)]),
        ),
      );
    },
  }),
});
