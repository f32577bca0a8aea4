import { collectDefaultMetrics, Registry } from 'prom-client';
import type { EmailTransport } from '#libs/channel/email';
import type { SlackTransport } from '#libs/channel/slack';
import type { ConsumerLog, Runtime } from '#libs/runtime';
import type { EventStore } from '#libs/store/port';
import type { SqliteStoreStats } from '#libs/store/sqlite';
import { BounceMetrics, type CountedBounce } from './bounces.js';
import { collectConsumers, countingFailures } from './consumers.js';
import { EffectMetrics } from './effects.js';
import { collectStore } from './store.js';

/**
 * Everything that this process measures, for Prometheus. What somebody counts anyway is looked up when it is asked for,
 * not when it happens. Labels hold names of this program, never ids or addresses.
 */
export class Metrics {
  readonly registry = new Registry();
  private readonly effects = new EffectMetrics(this.registry);
  private readonly bounces = new BounceMetrics(this.registry);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Measures what the store writes, where it counts that, and how far it is. */
  addStore(store: Pick<EventStore, 'head'>, stats: (() => SqliteStoreStats) | undefined): void {
    collectStore(this.registry, store, stats);
  }

  /** Measures the consumers. */
  addConsumers(runtime: Runtime<never>, store: Pick<EventStore, 'head'>): void {
    collectConsumers(this.registry, runtime, store);
  }

  /** The log, with its failures counted. */
  counted(log: ConsumerLog): ConsumerLog {
    return countingFailures(this.registry, log);
  }

  countBounce(kind: CountedBounce): void {
    this.bounces.count(kind);
  }

  /** The transport, with its attempts measured. */
  measuredEmail(transport: EmailTransport): EmailTransport {
    return this.effects.email(transport);
  }

  /** The transport, with its attempts measured. */
  measuredSlack(transport: SlackTransport): SlackTransport {
    return this.effects.slack(transport);
  }
}
