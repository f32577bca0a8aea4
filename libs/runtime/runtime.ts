import type { EventStore } from '#libs/store/port';
import { Consumer } from './consumer/consumer.js';
import type { ConsumerLog, ConsumerStatus } from './consumer/status.js';
import type { AnyHandler, Role } from './topology/handler.js';
import type { Topology } from './topology/topology.js';
import type { ViewNames } from './view/view-names.js';
import { untraced, type WorkTrace } from './work-trace.js';

export interface RuntimeOptions<Services> {
  readonly store: EventStore;
  readonly topology: Topology<Services>;
  readonly services: Services;
  /** Handlers of other roles are left to other processes. */
  readonly roles: ReadonlySet<Role>;
  readonly log: ConsumerLog;
  /** Which version of a view is meant; without it, no handler may touch one. */
  readonly views?: ViewNames;
  /** Default: follows nothing. */
  readonly trace?: WorkTrace | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
}

/** All consumers of this process. */
export class Runtime<Services> {
  private readonly consumers: readonly Consumer[];

  constructor({
    store,
    topology,
    services,
    roles,
    log,
    views,
    trace = untraced,
    now = Date.now,
  }: RuntimeOptions<Services>) {
    this.consumers = topology.handlers
      .filter((handler: AnyHandler) => handler.reads.length > 0 && roles.has(handler.role))
      .map(
        (handler: AnyHandler) =>
          new Consumer(store, handler, handler.create(services as never), now, log, trace, views),
      );
  }

  async start(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.start()));
  }

  /** Finishes what is being handled and saves the checkpoints. */
  async drain(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.drain()));
  }

  status(): readonly ConsumerStatus[] {
    return this.consumers.map((consumer) => consumer.status());
  }

  /** The consumer of that name, to pause, resume or redrive. */
  consumer(name: string): Consumer | undefined {
    return this.consumers.find((consumer) => consumer.name === name);
  }
}
