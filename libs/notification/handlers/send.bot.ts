import { fold } from '#libs/kernel';
import { recipientEvents, type RecipientState } from '#libs/recipient';
import {
  decideAndAppend,
  defineBot,
  runtimeTimers,
  type CachedAggregates,
  type HandlerContext,
  type Loaded,
} from '#libs/runtime';
import type { Vault } from '#libs/vault';
import {
  notification,
  notificationEvents,
  type NotificationCommand,
  type NotificationEvent,
  type Resolution,
} from '../event/notification.js';
import { resolve, type DeliveryRules } from '../event/resolve.js';
import { channelEvents } from '../channels.js';
import { notificationClientOperations } from '../operations/client.js';
import { notificationInternalOperations } from '../operations/internal.js';
import { readRequest, type NotificationRequest } from '../operations/read-request.js';
import { notificationSagas } from '../saga/delivery.js';
import { askSteps } from '../steps/ask-steps.js';
import type { StepRequest, Steps } from '../steps/ports.js';
import { cancel } from './cancel.js';
import { deliverAtPurpose, deliverAtTimerKey } from './deliver-at.js';
import { termsOf } from './terms.js';

export interface SendServices {
  readonly recipients: CachedAggregates<typeof recipientEvents, RecipientState>;
  readonly deliveryRules: DeliveryRules;
  readonly steps: Steps;
  readonly vault: Vault;
}

type Context = HandlerContext<
  | typeof notificationClientOperations
  | typeof notificationInternalOperations
  | typeof runtimeTimers
  | typeof notificationEvents
  | typeof recipientEvents,
  typeof notificationEvents | typeof runtimeTimers
>;

/**
 * Takes up what clients and broadcasts ask for: requests the notification, decides whom to tell and how – now, or at its
 * time –, or cancels it.
 */
export const sendBot = defineBot({
  name: 'notification.send-bot',
  reads: [notificationClientOperations, notificationInternalOperations, runtimeTimers],
  looksUp: [notificationEvents, notificationSagas, recipientEvents, ...channelEvents],
  writes: [notificationEvents, runtimeTimers, ...channelEvents],
  concurrency: 128,
  create: (services: SendServices) => ({
    async handle(record, context) {
      if (record.type === 'notification.send.v1') {
        await take(services, record, context);
      } else if (record.type === 'notification.cancel.v1') {
        await cancel(services.deliveryRules, record, context);
      } else if (record.type === 'runtime.timer-fired.v1' && record.data.purpose === deliverAtPurpose) {
        const operation = await readRequest(context, context.correlationId);
        if (operation !== undefined) await take(services, operation, context);
      }
    },
  }),
});

async function take(services: SendServices, record: NotificationRequest, context: Context): Promise<void> {
  const { begin, requested } = termsOf(record, services.deliveryRules);
  const { notAfter } = requested;
  const now = context.now();

  let next: NotificationCommand;
  if (Math.max(now, begin) > Date.parse(notAfter)) next = { type: 'expire' };
  else if (begin > now) next = { type: 'schedule', deliverAt: record.data.deliverAt! };
  else next = { type: 'resolve', resolution: await decide(services, record, begin, notAfter, context) };

  const id = context.correlationId;
  // The timer comes before the event: after a crash in between, the time may have come, and what is decided then would be
  // taken for the event that stands, so that nothing would ever look again.
  if (next.type === 'schedule') {
    const data = { dueAt: begin, purpose: deliverAtPurpose };
    await context.append(
      context.write(runtimeTimers, deliverAtTimerKey(id), 'noStream', [{ type: 'runtime.timer-scheduled.v1', data }]),
    );
  }
  await decideAndAppend(
    context,
    notificationEvents,
    notification,
    id,
    { state: notification.initial(), revision: 'noStream' },
    (state) => {
      const events: NotificationEvent[] = [...notification.decide(state, { type: 'request', requested })];
      return [...events, ...notification.decide(fold({ ...notification, initial: () => state }, events), next)];
    },
  );
}

/** Asks the steps and decides on their answers. */
async function decide(
  { recipients, deliveryRules, steps, vault }: SendServices,
  { id: cause, data: operation, position }: NotificationRequest,
  begin: number,
  notAfter: string,
  context: Context,
): Promise<Resolution> {
  const { policy, onChannelFailure } = deliveryRules;
  let looked: Promise<Loaded<RecipientState>> | undefined;
  const request: StepRequest = {
    notificationId: context.correlationId,
    operation,
    date: new Date(begin).toISOString(),
    notAfter,
    delivery: Object.hasOwn(policy, operation.category) ? policy[operation.category]! : policy.default,
    signal: context.signal,
    recipient: () => (looked ??= recipients.get(context, operation.recipientId, position)),
  };
  const answers = await askSteps(steps, vault, request);
  const revision = (await looked)?.revision ?? 'noStream';
  return resolve({
    cause,
    operation,
    recipientRevision: revision === 'noStream' ? null : String(revision),
    answers,
    sources: { audience: steps.audience.source, channels: steps.channels.source, prepare: steps.prepare.source },
    notAfter,
    onChannelFailure,
  });
}
