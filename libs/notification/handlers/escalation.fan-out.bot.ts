import { emailOperations } from '#libs/channel/email';
import { keyOf } from '#libs/kernel';
import { defineBot, loadAggregate, type Deferred, type HandlerContext } from '#libs/runtime';
import { CorruptedIdempotency, StoreUnavailable, WrongExpectedRevision, type Append } from '#libs/store/port';
import type { GatheredFailure } from '../escalation/contents.js';
import { escalationEvents } from '../escalation/escalation.js';
import { inFlow } from '../escalation/in-flow.js';
import { metadataOfMember } from '../event/broadcast-member.js';
import type { InternalTeamNotified } from '../event/contents.js';
import { notification, notificationEvents, type NotificationState } from '../event/notification.js';

type Context = HandlerContext<
  typeof escalationEvents | typeof notificationEvents,
  typeof emailOperations | typeof notificationEvents
>;

/** Pages read at a time. */
const pagesARead = 10n;
/** Notifications written at a time. */
const batchSize = 100;
const failed: NotificationState = { ...notification.initial(), status: 'failed' };

/** Carries out what was decided: enqueues the mail, then says in each notification that it is told there. */
export const escalationFanOutBot = defineBot({
  name: 'notification.escalation-fan-out-bot',
  reads: [escalationEvents],
  looksUp: [notificationEvents],
  writes: [emailOperations, notificationEvents],
  concurrency: 1,
  partitioned: false,
  create: () => ({
    async handle(record, context): Promise<Deferred | void> {
      if (record.type !== 'escalation.decided.v1') return;
      const { operationId, operation, at, pages } = record.data;
      await context.append(
        context.write(emailOperations, operationId, 'noStream', [{ type: 'email.send.v1', data: operation }]),
      );
      const errors: unknown[] = [];
      for (let from = record.revision - BigInt(pages); from < record.revision; from += pagesARead) {
        // Another time: all of it may take a while.
        if (context.signal.aborted) return { settled: Promise.resolve(false) };
        const left = record.revision - from;
        const limit = Number(left < pagesARead ? left : pagesARead);
        const read = await context.read(escalationEvents, keyOf(record.stream), { from, limit });
        const failures = read.flatMap(({ type, data }) =>
          type === 'escalation.failures-gathered.v1' ? data.failures : [],
        );
        for (let start = 0; start < failures.length; start += batchSize) {
          errors.push(...(await markTold(failures.slice(start, start + batchSize), { operationId, at }, context)));
        }
      }
      // One that cannot be written keeps none of the others from it.
      if (errors.length > 0) throw errors[0];
    },
  }),
});

async function markTold(
  failures: readonly GatheredFailure[],
  told: InternalTeamNotified,
  context: Context,
): Promise<readonly unknown[]> {
  // Nothing follows the end of a notification but this.
  const appends = failures.map((failure) =>
    marking(failure, failed, BigInt(failure.notificationRevision), told, context),
  );
  try {
    await context.append(...appends.flat());
    return [];
  } catch (error) {
    if (!isMoved(error)) throw error;
  }
  const errors: unknown[] = [];
  for (const failure of failures) {
    try {
      const { state, revision } = await loadAggregate(
        context,
        notificationEvents,
        notification,
        failure.notificationId,
      );
      await context.append(...marking(failure, state, revision, told, context));
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      errors.push(error);
    }
  }
  return errors;
}

function marking(
  { notificationId, member }: GatheredFailure,
  state: NotificationState,
  revision: bigint | 'noStream',
  told: InternalTeamNotified,
  context: Context,
): Append[] {
  const events = notification.decide(state, { type: 'escalate', escalation: told });
  return events.map((event) =>
    inFlow(
      context.write(notificationEvents, notificationId, revision, [event]),
      notificationId,
      member && metadataOfMember(member),
    ),
  );
}

function isMoved(error: unknown): boolean {
  return error instanceof WrongExpectedRevision || error instanceof CorruptedIdempotency;
}
