import { fold, type RecordOf } from '#libs/kernel';
import {
  cancelEffect,
  decideAndAppend,
  loadAggregate,
  RetryLater,
  runtimeTimers,
  type HandlerContext,
} from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { channelStreams, type ChannelEvents } from '../channels.js';
import {
  notification,
  notificationEvents,
  type NotificationEvent,
  type NotificationState,
} from '../event/notification.js';
import type { DeliveryRules } from '../event/resolve.js';
import type { notificationClientOperations } from '../operations/client.js';
import type { notificationInternalOperations } from '../operations/internal.js';
import { readRequest } from '../operations/read-request.js';
import { notificationSagas } from '../saga/delivery.js';
import { deliverAtPurpose, deliverAtTimerKey } from './deliver-at.js';
import { termsOf } from './terms.js';

type Context = HandlerContext<
  | typeof notificationClientOperations
  | typeof notificationInternalOperations
  | typeof notificationEvents
  | typeof notificationSagas
  | ChannelEvents,
  typeof notificationEvents | typeof runtimeTimers | ChannelEvents
>;

/** Waits before another look at what is under way, in milliseconds: as long as it has taken so far, within these bounds. */
const shortestWait = 100;
const longestWait = 30_000;

/**
 * Ends a notification that nothing was asked of the channels for. Of what was asked, cancels every operation that no
 * attempt is under way of; the delivery saga concludes.
 * @throws RetryLater while an attempt is under way: it runs to its end, and is not repeated
 */
export async function cancel(
  rules: DeliveryRules,
  record: RecordOf<typeof notificationClientOperations>,
  context: Context,
): Promise<void> {
  await cancelBeforeSending(rules, context);
  const { state } = await loadAggregate(context, notificationEvents, notification, context.correlationId);
  if (state.status === 'cancelled') await cancelTimer(context);
  if (state.status === 'sending') await cancelOperations(state, record.created, context);
}

/** Also where its request is not taken up yet, since taking it up has failed so far. */
async function cancelBeforeSending(rules: DeliveryRules, context: Context): Promise<void> {
  const id = context.correlationId;
  const request = await readRequest(context, id);
  if (request === undefined) return;
  const { requested } = termsOf(request, rules);
  const current = await loadAggregate(context, notificationEvents, notification, id);
  await decideAndAppend(context, notificationEvents, notification, id, current, (state) => {
    const events: NotificationEvent[] = [...notification.decide(state, { type: 'request', requested })];
    return [
      ...events,
      ...notification.decide(fold({ ...notification, initial: () => state }, events), { type: 'cancel' }),
    ];
  });
}

async function cancelTimer(context: Context): Promise<void> {
  const data = { purpose: deliverAtPurpose };
  try {
    await context.append(
      context.write(runtimeTimers, deliverAtTimerKey(context.correlationId), 0n, [
        { type: 'runtime.timer-cancelled.v1', data },
      ]),
    );
  } catch (error) {
    // There is none, or it has fired.
    if (!(error instanceof WrongExpectedRevision)) throw error;
  }
}

async function cancelOperations({ operations }: NotificationState, asked: number, context: Context): Promise<void> {
  const later = (why: string) => {
    const now = context.now();
    return new RetryLater(now + Math.min(Math.max(now - asked, shortestWait), longestWait), why);
  };
  // The saga knows of no outcome that comes before it stands.
  const saga = await context.last(notificationSagas, context.correlationId);
  if (saga === undefined) throw later('the operations are not fanned out yet');
  const settled = await Promise.all(
    operations.map(({ id: key, channel }) => {
      const { events: stream, effects: types } = channelStreams[channel];
      return cancelEffect<ChannelEvents>({ context, stream, key, types });
    }),
  );
  if (settled.includes(false)) throw later('an attempt is under way');
}
