import { Redis } from 'ioredis';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import { nameOfRedis } from './connection.js';
import { clientOptions, type Tuning } from './options.js';
import { faultOf } from './server-settings.js';

/** Of the server: it knows neither this user nor this password, or does not let them do what is needed. */
const refusedByServer = /\b(WRONGPASS|NOAUTH|NOPERM)\b/;
/** Of this side: the certificate is not of those that it was told to trust. A server that is away has none of them. */
const untrusted: readonly (string | undefined)[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
];

/** Redis as this process sees it: whether it answers, whether keys can be left to it, and when to give up. */
export class KeyServer {
  readonly redis: Redis;
  /** For people: without credentials. */
  readonly name: string;
  /** Since when it does not answer, in milliseconds of the process; undefined while it does. */
  private silentSince: number | undefined = performance.now();
  private isToldOf = false;
  private trouble = new Error('it has not answered yet');
  private isAccepted = false;
  private accepting: Promise<void> | undefined;
  /** Never resolves. */
  private readonly refused: Promise<never>;
  private refuse: () => void = () => undefined;
  private closed = false;

  /** @param accepted called once, when the server has answered and keeps what it is told */
  constructor(
    private readonly tuning: Tuning,
    private readonly accepted: () => void = () => undefined,
  ) {
    this.name = nameOfRedis(tuning.connection);
    this.redis = new Redis(clientOptions(tuning));
    this.refused = new Promise((_, reject) => (this.refuse = () => reject(this.away())));
    this.refused.catch(() => undefined);
    this.redis.on('error', (error: Error) => {
      this.trouble = error;
      if (!this.isAccepted && isRefusal(error)) this.refuse();
    });
    this.redis.on('sentinelError', (error: Error) => (this.trouble = error));
    this.redis.on('close', () => this.lost());
    this.redis.on('ready', () => {
      if (this.silentSince !== undefined) tuning.log.reachable(this.name);
      this.silentSince = undefined;
      this.isToldOf = false;
      this.trouble = new Error('the connection was closed');
    });
  }

  /**
   * Connects, and looks whether the server keeps what it is told. One that does not answer is no hindrance: it is tried again
   * until it does, and looked at then.
   * @throws StoreUnusable when it answers, and cannot be used
   */
  async connect(): Promise<void> {
    try {
      await this.ask((redis) => redis.ping());
    } catch (error) {
      if (error instanceof StoreUnusable) throw error;
      this.lost();
    }
  }

  /**
   * A client's error holds the command, and so the key: only its text goes on.
   * @throws StoreUnavailable; StoreUnusable where the first answer of the server says that it cannot be used
   */
  async ask<Answer>(call: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    if (this.closed) throw new StoreUnavailable('the key store is closed');
    const { silentSince, tuning } = this;
    if (silentSince !== undefined && performance.now() - silentSince > tuning.patience) throw this.away();
    try {
      if (!this.isAccepted) await this.accept();
      return await call(this.redis);
    } catch (error) {
      if (error instanceof StoreUnusable) throw error;
      throw this.silentSince === undefined ? this.failure(error as Error) : this.away();
    }
  }

  /** @throws StoreUnavailable, without waiting, where the server is known to be away */
  checkAnswers(): void {
    if (this.silentSince !== undefined) throw this.away();
  }

  unavailable(reason: string): StoreUnavailable {
    return new StoreUnavailable(`Redis at ${this.name}: ${reason}`);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    // What was asked before has its answer before that of QUIT.
    if (this.redis.status === 'ready') await this.redis.quit().catch(() => undefined);
    this.redis.disconnect();
  }

  /** Once for all that ask at the same time. */
  private accept(): Promise<void> {
    this.accepting ??= Promise.race([this.examine(), this.refused]).finally(() => (this.accepting = undefined));
    return this.accepting;
  }

  private async examine(): Promise<void> {
    const fault = await faultOf(this.redis);
    if (fault !== undefined) throw new StoreUnusable(`Redis at ${this.name} cannot keep the keys: ${fault}`);
    this.isAccepted = true;
    this.accepted();
  }

  private lost(): void {
    if (this.closed) return;
    this.silentSince ??= performance.now();
    if (this.isToldOf) return;
    this.isToldOf = true;
    this.tuning.log.unreachable(this.name, this.trouble.message);
  }

  private away(): Error {
    return this.failure(this.trouble);
  }

  private failure(error: Error): StoreUnavailable | StoreUnusable {
    const { message } = this.unavailable(error.message);
    return !this.isAccepted && isRefusal(error) ? new StoreUnusable(message) : new StoreUnavailable(message);
  }
}

/** What does not pass by itself: the settings of this process, or of the server, have to be changed. */
function isRefusal({ code, message }: Error & { readonly code?: string }): boolean {
  return untrusted.includes(code) || refusedByServer.test(message);
}
