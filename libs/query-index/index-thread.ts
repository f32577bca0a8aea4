import { Worker } from 'node:worker_threads';
import { messageOf, TidingsError } from '#libs/kernel';
import type { IndexReply, IndexRequest, Reached, WorkerData } from './protocol.js';

/** The index's file cannot be used. */
export class IndexFailure extends TidingsError {
  readonly code = 'query-index';

  /** @param damaged true where making the file anew helps */
  constructor(
    message: string,
    readonly damaged: boolean,
  ) {
    super(message);
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The thread that owns an index's file. It answers in order; when it ends, whatever waits is rejected. */
export class IndexThread<Entry, Query, Answer> {
  private readonly worker: Worker;
  private readonly waiting: Waiting[] = [];
  private readonly exited: Promise<void>;
  private ended: IndexFailure | undefined;

  private constructor(workerData: WorkerData) {
    // Without the process's own flags: some, as --input-type, keep a thread from starting.
    this.worker = new Worker(new URL('./index.worker.js', import.meta.url), { workerData, execArgv: [] });
    let reason = 'it is closed';
    this.worker.on('message', (reply: IndexReply) => this.settle(reply));
    this.worker.on('error', (thrown) => (reason = messageOf(thrown)));
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', () => {
        this.ended = new IndexFailure(`the query index has stopped: ${reason}`, false);
        for (const { reject } of this.waiting.splice(0)) reject(this.ended);
        resolve();
      });
    });
  }

  /** Resolves when the file is open, with how far it reaches. @throws IndexFailure */
  static async open<Entry, Query, Answer>(
    workerData: WorkerData,
  ): Promise<{ thread: IndexThread<Entry, Query, Answer>; reached: Reached | undefined }> {
    const thread = new IndexThread<Entry, Query, Answer>(workerData);
    try {
      return { thread, reached: (await thread.reply()) as Reached | undefined };
    } catch (error) {
      await thread.end();
      throw error;
    }
  }

  async apply(entries: readonly Entry[], reached: Reached): Promise<void> {
    await this.ask({ kind: 'apply', entries, reached });
  }

  async query(query: Query): Promise<Answer> {
    return (await this.ask({ kind: 'query', query })) as Answer;
  }

  async close(): Promise<void> {
    if (this.ended === undefined) await this.ask({ kind: 'close' });
    await this.exited;
  }

  /** At once. Nothing of it holds the file afterwards, which a closed database whose statements are still known would. */
  async end(): Promise<void> {
    await this.worker.terminate();
    await this.exited;
  }

  private ask(request: IndexRequest<Entry, Query>): Promise<unknown> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    this.worker.postMessage(request);
    return this.reply();
  }

  private reply(): Promise<unknown> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private settle(reply: IndexReply): void {
    const waiting = this.waiting.shift();
    if ('failure' in reply) waiting?.reject(new IndexFailure(reply.failure, reply.damaged));
    else waiting?.resolve(reply.value);
  }
}
