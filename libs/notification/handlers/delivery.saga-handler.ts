import { LRUCache } from 'lru-cache';
import { keyOf, type RecordOf } from '#libs/kernel';
import {
  decideAndAppend,
  defineSagaHandler,
  loadAggregate,
  runtimeTimers,
  type Deferred,
  type HandlerContext,
} from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { channelEvents, channelStreams, isChannelEvent, type ChannelEvent, type ChannelEvents } from '../channels.js';
import { notification, notificationEvents, type NotificationState } from '../event/notification.js';
import { delivery, notificationSagas, type DeliverySeen, type DeliveryState } from '../saga/delivery.js';

type Seen = typeof notificationSagas | ChannelEvents | typeof runtimeTimers;
type Context = HandlerContext<Seen | typeof notificationEvents, typeof notificationEvents | typeof runtimeTimers>;

const deadlinePurpose = 'notification.delivery-deadline';
/** Most deliveries end within this time and need no timer record. In milliseconds. */
const grace = 30_000;
const sweepEvery = 5_000;
const mostRemembered = 10_000;
/** With more that wait, the oldest gets its timer at once. */
const mostWaiting = 5_000;
const sending: NotificationState = { ...notification.initial(), status: 'sending' };

interface Waiting {
  readonly since: number;
  readonly deadline: string;
  readonly context: Context;
  readonly settle: (done: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/** Waits for the outcomes of a notification's operations and writes what became of it. */
export const deliverySagaHandler = defineSagaHandler({
  name: 'notification.delivery-saga-handler',
  reads: [notificationSagas, ...channelEvents, runtimeTimers],
  looksUp: [notificationEvents],
  writes: [notificationEvents, runtimeTimers],
  concurrency: 256,
  create: () => new DeliverySagaHandler(),
});

class DeliverySagaHandler {
  /** Deliveries in progress. What is not remembered is read again. */
  private readonly states = new LRUCache<string, DeliveryState>({ max: mostRemembered });
  /** Deliveries whose start is not checkpointed yet, oldest first. */
  private readonly waiting = new Map<string, Waiting>();
  /** Appends of deadline timers; one that is forgotten fires, and nothing follows from it. */
  private readonly timers = new LRUCache<string, Promise<unknown>>({ max: mostRemembered });
  private readonly sweeper = setInterval(() => this.sweep(), sweepEvery);

  handle = async (record: RecordOf<Seen>, context: Context): Promise<Deferred | void> => {
    const id = context.correlationId;
    const seen = seenIn(record);
    if (seen === undefined) return;
    // The start comes before anything else of the delivery, so nothing has to be read for it.
    const isStart = record.type === 'notification.delivery-started.v1' && !this.states.has(id);
    const before = isStart ? delivery.initial() : await this.recall(id, context);
    const state = delivery.evolve(before, seen);
    this.states.set(id, state);
    for (const { data: outcomes } of delivery.react(state)) {
      // A success says all there is to say; a failure is told with the decision that led to it.
      const succeeded = outcomes.every(({ status }) => status === 'succeeded');
      const assumed = succeeded
        ? { state: sending, revision: BigInt(state.started!.notificationRevision) }
        : await loadAggregate(context, notificationEvents, notification, id);
      await decideAndAppend(context, notificationEvents, notification, id, assumed, (current) =>
        notification.decide(current, { type: 'complete', outcomes }),
      );
      this.forget(id);
      if (record.type !== 'runtime.timer-fired.v1') await this.cancelTimer(id, context);
      return;
    }
    if (record.type === 'notification.delivery-started.v1') return this.wait(id, record.data.deadline, context);
  };

  stop(): Promise<void> {
    clearInterval(this.sweeper);
    for (const { settle } of this.waiting.values()) settle(false);
    return Promise.resolve();
  }

  private async recall(id: string, context: Context): Promise<DeliveryState> {
    const known = this.states.get(id);
    if (known !== undefined) return known;
    let state = delivery.initial();
    for (const record of await context.read(notificationSagas, id)) state = delivery.evolve(state, record);
    for (const { operationId, channel } of state.started?.operations ?? []) {
      for (const record of await context.read(channelStreams[channel].events, operationId)) {
        const seen = seenIn(record);
        if (seen !== undefined) state = delivery.evolve(state, seen);
      }
    }
    const timer = await context.last(runtimeTimers, timerKey(id));
    if (timer?.type === 'runtime.timer-scheduled.v1') this.timers.set(id, Promise.resolve());
    return state;
  }

  private forget(id: string): void {
    this.states.delete(id);
    this.waiting.get(id)?.settle(true);
    this.waiting.delete(id);
  }

  private wait(id: string, deadline: string, context: Context): Deferred {
    const settled = new Promise<boolean>((settle, fail) => {
      this.waiting.set(id, { since: context.now(), deadline, context, settle, fail });
    });
    this.sweep();
    return { settled };
  }

  /** Gives a timer to those that have waited too long to hold up the checkpoint, and where too many wait. */
  private sweep(): void {
    for (const [id, waiting] of this.waiting) {
      if (waiting.context.now() - waiting.since < grace && this.waiting.size <= mostWaiting) return;
      this.waiting.delete(id);
      this.schedule(id, waiting).catch(waiting.fail);
    }
  }

  private async schedule(id: string, { deadline, context, settle }: Waiting): Promise<void> {
    const data = { dueAt: Date.parse(deadline), purpose: deadlinePurpose };
    const scheduled = context.append(
      context.write(runtimeTimers, timerKey(id), 'noStream', [{ type: 'runtime.timer-scheduled.v1', data }]),
    );
    this.timers.set(id, scheduled);
    await scheduled;
    settle(true);
  }

  private async cancelTimer(id: string, context: Context): Promise<void> {
    const scheduled = this.timers.get(id);
    if (scheduled === undefined) return;
    try {
      await scheduled;
      const data = { purpose: deadlinePurpose };
      await context.append(
        context.write(runtimeTimers, timerKey(id), 0n, [{ type: 'runtime.timer-cancelled.v1', data }]),
      );
    } catch (error) {
      // It has fired, or was cancelled before.
      if (!(error instanceof WrongExpectedRevision)) throw error;
    }
    this.timers.delete(id);
  }
}

function timerKey(id: string): string {
  return `${id}.delivery-deadline`;
}

function seenIn(record: RecordOf<Seen>): DeliverySeen | undefined {
  if (isChannelEvent(record)) return outcomeIn(record);
  switch (record.type) {
    case 'notification.delivery-started.v1':
      return { type: record.type, data: record.data };
    case 'runtime.timer-fired.v1':
      return record.data.purpose === deadlinePurpose ? { type: 'deadlinePassed', data: null } : undefined;
    default:
      return undefined;
  }
}

function outcomeIn({ type, stream, data }: ChannelEvent): DeliverySeen | undefined {
  if (!('receipt' in data) && !('reason' in data)) return undefined;
  const reason = 'reason' in data ? data.reason : null;
  const seen = { operationId: keyOf(stream), event: type, reason, inDoubt: reason === 'inDoubt' };
  return { type: 'channelEventSeen', data: seen };
}
