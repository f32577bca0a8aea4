import { createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '#libs/kernel';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';
import type { DataKey, KeyStore } from './key-store.js';
import type { KeyAnswer, KeyReply, KeyRequest, KeyRow } from './sqlite-key-protocol.js';

interface Waiting {
  readonly request: KeyRequest;
  resolve(answer: KeyAnswer): void;
  reject(error: Error): void;
}

/**
 * Keys in `keys.db`, a SQLite file beside the event store and under its lock. A worker thread owns the file; the
 * requests of one tick, and those that come while it writes, share a transaction and its fsync.
 */
export class SqliteKeyStore implements KeyStore {
  private queue: Waiting[] = [];
  private inFlight: readonly Waiting[] = [];
  private scheduled = false;
  private ended: Error | undefined;
  private closing: Promise<void> | undefined;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (reply: KeyReply) => this.settle(reply));
    worker.on('error', (error) => this.end(new StoreUnavailable(`the key store has failed: ${messageOf(error)}`)));
    worker.on('exit', () => this.end(new StoreUnavailable('the key store is closed')));
  }

  /**
   * Opens the keys of a data directory, which is made when it does not exist.
   * @throws StoreUnusable when the file is damaged, made by a newer version, or not accessible
   */
  static async open(directory: string): Promise<SqliteKeyStore> {
    const worker = new Worker(new URL('./sqlite-key-worker.js', import.meta.url), {
      workerData: join(directory, 'keys.db'),
    });
    const [reply] = (await once(worker, 'message')) as [KeyReply];
    if ('failure' in reply) {
      await once(worker, 'exit');
      throw errorOf(reply);
    }
    return new SqliteKeyStore(worker);
  }

  async keyFor(owner: string): Promise<DataKey> {
    return keyOf((await this.ask({ ask: 'keyFor', owner })) as KeyRow);
  }

  async find(keyId: string): Promise<DataKey | undefined> {
    const row = (await this.ask({ ask: 'find', id: keyId })) as KeyRow | undefined;
    return row && keyOf(row);
  }

  async idsOf(owner: string): Promise<readonly string[]> {
    return (await this.ask({ ask: 'idsOf', owner })) as readonly string[];
  }

  async destroy(keyIds: readonly string[]): Promise<number> {
    return (await this.ask({ ask: 'destroy', ids: keyIds })) as number;
  }

  close(): Promise<void> {
    return (this.closing ??= this.finish());
  }

  private async finish(): Promise<void> {
    if (this.ended) return;
    const exit = once(this.worker, 'exit');
    const closed = this.ask({ ask: 'close' });
    this.ended = new StoreUnavailable('the key store is closed');
    await closed;
    await exit;
  }

  private ask(request: KeyRequest): Promise<KeyAnswer> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.queue.push({ request, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight.length > 0 || this.queue.length === 0) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.inFlight = this.queue;
      this.queue = [];
      this.worker.postMessage(this.inFlight.map(({ request }) => request));
    });
  }

  private settle(reply: KeyReply): void {
    const batch = this.inFlight;
    this.inFlight = [];
    if ('failure' in reply) for (const { reject } of batch) reject(errorOf(reply));
    else batch.forEach(({ resolve }, index) => resolve(reply.answers[index]));
    this.schedule();
  }

  private end(error: Error): void {
    this.ended ??= error;
    for (const { reject } of [...this.inFlight, ...this.queue]) reject(this.ended);
    this.inFlight = [];
    this.queue = [];
  }
}

function keyOf({ id, owner, key }: KeyRow): DataKey {
  return { id, owner, key: createSecretKey(key) };
}

function errorOf({ failure, unusable }: Extract<KeyReply, { failure: string }>): Error {
  return unusable ? new StoreUnusable(failure) : new StoreUnavailable(`keys.db: ${failure}`);
}
