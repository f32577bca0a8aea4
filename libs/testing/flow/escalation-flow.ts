import { keyOf, newId, streamName, type RecordedEvent } from '#libs/kernel';
import {
  escalationBot,
  escalationEvents,
  escalationFanOutBot,
  escalationReactor,
  notificationEvents,
  notificationInternalOperations,
  type EscalationDecided,
  type EscalationPace,
  type FailuresGathered,
  type NotificationEvent,
  type NotificationFailed,
} from '#libs/notification';
import type { AnyHandler } from '#libs/runtime';
import { requestedSample } from '../samples/index.js';
import { NotificationFlow, type HandlerRun } from './notification-flow.js';

const minute = 60_000;
const pace: EscalationPace = { gathering: 0, pauses: [minute, 5 * minute, 15 * minute, 60 * minute] };
const handlers: readonly AnyHandler[] = [escalationReactor, escalationBot, escalationFanOutBot];
const unknown: NotificationFailed = { reason: 'unknownRecipient', decision: null, outcomes: [] };

/** The handlers of escalations on a store, as one process runs them. */
export class EscalationFlow {
  /** Who is told. */
  static readonly team = { name: 'The team', address: 'team@example.org' };

  private runs: readonly HandlerRun[] = [];
  private started = false;

  private constructor(readonly flow: NotificationFlow) {
    this.restart();
  }

  static async open(more: object = {}): Promise<EscalationFlow> {
    const flow = await NotificationFlow.open();
    Object.assign(flow.services, { escalationPace: pace, teamEmail: EscalationFlow.team, ...more });
    return new EscalationFlow(flow);
  }

  /** From the next restart on nobody is told, or the team again. */
  tellTeam(isTold: boolean): void {
    Object.assign(this.flow.services, { teamEmail: isTold ? EscalationFlow.team : undefined });
  }

  /** Forgets everything, and is handed everything again. */
  restart(): void {
    this.runs = handlers.map((handler) => this.flow.run(handler));
    this.started = false;
  }

  async close(): Promise<void> {
    await Promise.all(this.runs.map((run) => run.stop()));
    await this.flow.close();
  }

  /** Notifications that end like this; answers their ids. */
  async end(count: number, ...ends: readonly NotificationEvent[]): Promise<string[]> {
    const ids = Array.from({ length: count }, () => newId());
    const requested: NotificationEvent = { type: 'notification.requested.v1', data: requestedSample };
    for (let start = 0; start < count; start += 500) {
      await this.flow.store.appendAll(
        ids.slice(start, start + 500).map((id) => ({
          stream: streamName(notificationEvents, id),
          expected: 'noStream',
          events: [requested, ...ends].map((event) => ({ id: newId(), metadata: { $correlationId: id }, ...event })),
        })),
      );
    }
    return ids;
  }

  fail(count = 1, data = unknown): Promise<string[]> {
    return this.end(count, { type: 'notification.failed.v1', data });
  }

  /** Until there is nothing left to do now. @throws what a handler fails with */
  async settle(): Promise<void> {
    if (!this.started) await Promise.all(this.runs.map((run) => run.start()));
    this.started = true;
    for (let busy = true; busy;) {
      busy = false;
      for (const run of this.runs) {
        const settling: Promise<boolean>[] = [];
        for (const record of await run.waiting()) {
          busy = true;
          const deferred = await run.handle(record);
          if (deferred) settling.push(deferred.settled);
        }
        await Promise.all(settling);
      }
    }
  }

  /** The records of a category so far. */
  async recordsOf(category: string): Promise<readonly RecordedEvent[]> {
    const records: RecordedEvent[] = [];
    for await (const record of this.flow.store.readAll({ filter: { categories: [category] } })) records.push(record);
    return records;
  }

  /** The internal operations so far. */
  operations(): Promise<readonly RecordedEvent[]> {
    return this.recordsOf(notificationInternalOperations.category);
  }

  /** Hands an operation out, perhaps again; resolves when it is done. */
  async hand(operation: RecordedEvent): Promise<void> {
    const deferred = await this.runs[handlers.indexOf(escalationBot)]!.handle(operation);
    if (deferred) await deferred.settled;
  }

  /** Runs one handler alone, from the first record on. */
  drive(handler: AnyHandler): Promise<void> {
    return this.flow.drive([handler]);
  }

  /** Fires the timers that wait, each at its time. */
  async fireTimers(): Promise<number> {
    const timers = await this.recordsOf('runtime.timer');
    const pending = timers.filter(({ stream }) => timers.filter((other) => other.stream === stream).length === 1);
    for (const { stream, metadata } of pending) {
      await this.flow.fireTimer(keyOf(stream), metadata.$correlationId!);
    }
    return pending.length;
  }

  decisions(): Promise<readonly EscalationDecided[]> {
    return this.flow.dataOf<EscalationDecided>('escalation.event', 'escalation.decided.v1');
  }

  /** True when the mail that is open is due. */
  async isDue(): Promise<boolean> {
    const last = (await this.recordsOf(escalationEvents.category)).at(-1);
    if (last?.type !== 'escalation.failures-gathered.v1') return false;
    return Date.parse((last.data as FailuresGathered).dueAt) <= this.flow.now();
  }
}
