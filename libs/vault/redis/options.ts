import type { RedisOptions } from 'ioredis';
import type { RedisConnection } from './connection.js';

export interface RedisKeyOptions {
  readonly connection: RedisConnection;
  /** Certificates (PEM) to trust in place of the well-known authorities. */
  readonly ca?: string | undefined;
  readonly log?: RedisKeyLog;
  /** Milliseconds that Redis may stay silent, or a connection may take. Default 3000. */
  readonly answerWithin?: number;
  /** Milliseconds for which a call that was not answered is tried again. Default 6000. */
  readonly patience?: number;
  /** Milliseconds after which a remembered key is not used any more unless Redis has answered since. Default 2000. */
  readonly rememberedFor?: number;
  /** Milliseconds for which replicas are waited for. Default 1000. */
  readonly replicatedWithin?: number;
  /** Milliseconds from a destruction to the rewriting of the append-only file. Default ten minutes. */
  readonly rewriteAfter?: number;
}

/** Texts hold no credentials. */
export interface RedisKeyLog {
  unreachable(server: string, error: string): void;
  reachable(server: string): void;
  /** The append-only file cannot be rewritten: bytes of destroyed keys stay in it. */
  notRewritten(server: string, error: string): void;
}

export type Tuning = Required<Omit<RedisKeyOptions, 'ca'>> & Pick<RedisKeyOptions, 'ca'>;

const silent: RedisKeyLog = {
  unreachable: () => undefined,
  reachable: () => undefined,
  notRewritten: () => undefined,
};

export function withDefaults(options: RedisKeyOptions): Tuning {
  return {
    connection: options.connection,
    ca: options.ca,
    log: options.log ?? silent,
    answerWithin: options.answerWithin ?? 3_000,
    patience: options.patience ?? 6_000,
    rememberedFor: options.rememberedFor ?? 2_000,
    replicatedWithin: options.replicatedWithin ?? 1_000,
    rewriteAfter: options.rewriteAfter ?? 600_000,
  };
}

/** Of Redis's client: it connects again by itself, for ever, and repeats what was not answered. */
export function clientOptions({ connection, ca, answerWithin, patience }: Tuning) {
  const { hosts, sentinel, username, password, database } = connection;
  const tls = connection.tls ? { ...(ca !== undefined && { ca }) } : undefined;
  const pause = (times: number): number => Math.min(25 * 2 ** Math.min(times, 6), 1_000);
  return {
    ...(sentinel === undefined
      ? hosts[0]!
      : {
          sentinels: [...hosts],
          name: sentinel.name,
          sentinelUsername: sentinel.username,
          sentinelPassword: sentinel.password,
          sentinelRetryStrategy: pause,
          sentinelCommandTimeout: answerWithin,
          ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
        }),
    ...(tls && { tls }),
    username,
    password,
    db: database,
    lazyConnect: true,
    connectTimeout: answerWithin,
    socketTimeout: answerWithin,
    commandTimeout: patience,
    maxRetriesPerRequest: null,
    retryStrategy: pause,
    // A master that has become a replica: the connection is made anew, to the new master, and the call repeated.
    reconnectOnError: (error: Error) => (error.message.includes('READONLY') ? 2 : false),
    autoResubscribe: false,
    connectionName: 'tidings',
  } satisfies RedisOptions;
}
