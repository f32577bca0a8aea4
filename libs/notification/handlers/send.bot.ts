import type { Sender } from '#libs/channel/email';
import { fold, type RecordOf } from '#libs/kernel';
import { recipientEvents, type RecipientState } from '#libs/recipient';
import { decideAndAppend, defineBot, runtimeTimers, type CachedAggregates, type HandlerContext } from '#libs/runtime';
import {
  notification,
  notificationEvents,
  type NotificationCommand,
  type NotificationEvent,
} from '../event/notification.js';
import { resolve, type DeliveryRules } from '../event/resolve.js';
import { rfc3339 } from '../event/time.js';
import { notificationClientOperations } from '../operations/client.js';

export interface SendServices {
  readonly recipients: CachedAggregates<typeof recipientEvents, RecipientState>;
  readonly deliveryRules: DeliveryRules;
  /** Who mail is from. */
  readonly mailFrom: Sender;
}

type Operation = RecordOf<typeof notificationClientOperations>;
type Context = HandlerContext<
  typeof notificationClientOperations | typeof runtimeTimers | typeof notificationEvents | typeof recipientEvents,
  typeof notificationEvents | typeof runtimeTimers
>;

const deliverAtPurpose = 'notification.deliver-at';

/** Takes up what clients ask for: requests the notification, decides whom to tell and how – now, or at its time. */
export const sendBot = defineBot({
  name: 'notification.send-bot',
  reads: [notificationClientOperations, runtimeTimers],
  looksUp: [notificationEvents, recipientEvents],
  writes: [notificationEvents, runtimeTimers],
  concurrency: 128,
  create: (services: SendServices) => ({
    async handle(record, context) {
      if (record.type === 'notification.send.v1') {
        await take(services, record, context);
      } else if (record.type === 'runtime.timer-fired.v1' && record.data.purpose === deliverAtPurpose) {
        const [operation] = await context.read(notificationClientOperations, context.correlationId);
        if (operation !== undefined) await take(services, operation, context);
      }
    },
  }),
});

async function take(services: SendServices, record: Operation, context: Context): Promise<void> {
  const { data: operation } = record;
  const { recipientId, category, severity, subject, about, tags, deliverAt } = operation;
  const asked = record.created;
  const begin = deliverAt === null ? asked : Math.max(asked, Date.parse(deliverAt));
  const notAfter = operation.expiresAt ?? rfc3339(begin + services.deliveryRules.window);
  const now = context.now();

  let next: NotificationCommand;
  if (Math.max(now, begin) > Date.parse(notAfter)) next = { type: 'expire' };
  else if (begin > now) next = { type: 'schedule', deliverAt: deliverAt! };
  else {
    const recipient = await services.recipients.get(context, recipientId, record.position);
    const resolution = resolve({
      cause: record.id,
      operation,
      recipient: recipient.state,
      recipientRevision: recipient.revision,
      date: new Date(begin).toISOString(),
      notAfter,
      sender: services.mailFrom,
      rules: services.deliveryRules,
    });
    next = { type: 'resolve', resolution };
  }

  const id = context.correlationId;
  // The timer comes before the event: after a crash in between, the time may have come, and what is decided then would be
  // taken for the event that stands, so that nothing would ever look again.
  if (next.type === 'schedule') {
    const data = { dueAt: begin, purpose: deliverAtPurpose };
    await context.append(
      context.write(runtimeTimers, `${id}.deliver-at`, 'noStream', [{ type: 'runtime.timer-scheduled.v1', data }]),
    );
  }
  const requested = { recipientId, category, severity, subject, about, tags, notAfter };
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
