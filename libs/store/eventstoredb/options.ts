import type { EventStoreDbConnection } from './connection.js';

export interface EventStoreDbOptions {
  readonly connection: EventStoreDbConnection;
  /** Certificates (PEM) to trust in place of the well-known authorities. */
  readonly ca?: string | undefined;
  /** Told when the server stops answering, and when it answers again. */
  readonly log?: EventStoreDbLog;
  /** Milliseconds that one request may go without an answer. Default 3000. */
  readonly answerWithin?: number;
  /** Milliseconds for which a request that was not answered is tried again. Default 6000. */
  readonly patience?: number;
  /**
   * Requests under way at a time; others wait for their turn, without a deadline of their own. Servers take a hundred calls
   * over one connection, subscriptions among them: beyond, a request's time would run out in a queue. Default 64.
   */
  readonly atOnce?: number;
  /** Recent records kept for live subscribers. Default 8192. */
  readonly tailEvents?: number;
  /** Characters of JSON that those records may have. Default 16 Mi. */
  readonly tailLength?: number;
}

export interface EventStoreDbLog {
  /** @param error without credentials */
  unreachable(server: string, error: string): void;
  reachable(server: string): void;
}

export type Tuning = Required<Omit<EventStoreDbOptions, 'ca'>> & Pick<EventStoreDbOptions, 'ca'>;

export function withDefaults(options: EventStoreDbOptions): Tuning {
  return {
    connection: options.connection,
    ca: options.ca,
    log: options.log ?? { unreachable: () => undefined, reachable: () => undefined },
    answerWithin: options.answerWithin ?? 3_000,
    patience: options.patience ?? 6_000,
    atOnce: options.atOnce ?? 64,
    tailEvents: options.tailEvents ?? 8192,
    tailLength: options.tailLength ?? 16 * 1024 * 1024,
  };
}
