import { loadGroup, groupEvents } from '#libs/group';
import { rfc3339, type DeliveryRules } from '#libs/notification';
import { decideAndAppend, defineBot, runtimeTimers } from '#libs/runtime';
import { broadcast, broadcastEvents, type BroadcastCommand } from '../event/broadcast.js';
import { broadcastClientOperations, type SendBroadcast } from '../operations/client.js';
import { retentionPurpose, retentionTimerKey } from './retention.reactor.js';

export interface BroadcastSendServices {
  readonly deliveryRules: Pick<DeliveryRules, 'window'>;
  /** How long what a broadcast says is kept after its end, in milliseconds. */
  readonly attachmentRetention: number;
}

/** The last outcome of a member may come that much after the last moment at which an attempt may begin. */
const settleTime = 60_000;

/** Takes up what clients ask for: decides, once, who is told. */
export const broadcastSendBot = defineBot({
  name: 'broadcast.send-bot',
  reads: [broadcastClientOperations],
  looksUp: [groupEvents, broadcastEvents],
  writes: [broadcastEvents, runtimeTimers],
  create: ({ deliveryRules, attachmentRetention }: BroadcastSendServices) => ({
    async handle({ data, created }, context) {
      const id = context.correlationId;
      const { category, severity, subject, about, tags, recipientIds, groupId, deliverAt, expiresAt } = data;
      const notAfter = expiresAt ?? lastMoment(created, deliverAt, deliveryRules.window);
      const command: BroadcastCommand = {
        type: 'request',
        message: { category, severity, subject, about, tags, notAfter },
        to:
          groupId === undefined
            ? { recipientIds: recipientIds ?? [] }
            : { groupId, found: await loadGroup(context, groupId) },
      };
      // Every member has ended by then, however long that takes, and also where this is taken up late.
      const dueAt = Math.max(Date.parse(notAfter) + settleTime, context.now()) + attachmentRetention;
      await context.append(
        context.write(runtimeTimers, retentionTimerKey(id), 'noStream', [
          { type: 'runtime.timer-scheduled.v1', data: { dueAt, purpose: retentionPurpose } },
        ]),
      );
      const assumed = { state: broadcast.initial(), revision: 'noStream' } as const;
      await decideAndAppend(context, broadcastEvents, broadcast, id, assumed, (state) =>
        broadcast.decide(state, command),
      );
    },
  }),
});

function lastMoment(asked: number, deliverAt: SendBroadcast['deliverAt'], window: number): string {
  const begin = deliverAt === null ? asked : Math.max(asked, Date.parse(deliverAt));
  return rfc3339(begin + window);
}
