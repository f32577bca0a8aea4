import { Worker } from 'node:worker_threads';
import { messageOf } from '#libs/kernel';
import { StoreUnavailable } from '#libs/store/port';
import { valueOf, type Reply } from './messages.js';

interface Waiting {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Requests to a worker thread, which answers them in order. When the thread ends, everything waiting is rejected. */
export class Channel<Request> {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #exited: Promise<void>;
  #ended: StoreUnavailable | undefined;
  #closing = false;
  /** Requests sent. */
  messages = 0;

  /** @param onEnd called once when the thread ends without having been asked to */
  constructor(file: URL, workerData: unknown, onEnd: (error: StoreUnavailable) => void) {
    // Without the process's own flags: some, as --input-type, keep a thread from starting.
    this.#worker = new Worker(file, { workerData, execArgv: [] });
    this.#worker.on('message', (reply: Reply<unknown>) => this.#answer(reply));
    let reason = 'it ended';
    this.#worker.on('error', (thrown) => {
      reason = messageOf(thrown);
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#ended = new StoreUnavailable(
          this.#closing ? 'the store is closed' : `a thread of the store stopped: ${reason}`,
        );
        for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
        if (!this.#closing) onEnd(this.#ended);
        resolve();
      });
    });
  }

  /** The worker's first message, which nobody asked for. */
  ready<Value>(): Promise<Value> {
    return this.#wait();
  }

  async call<Value>(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<Value> {
    if (this.#ended !== undefined) throw this.#ended;
    this.messages += 1;
    this.#worker.postMessage(request, transfer);
    return this.#wait();
  }

  /** Sends the last request and waits until the thread has ended. */
  async close(request: Request): Promise<void> {
    this.#closing = true;
    if (this.#ended === undefined) await this.call(request).finally(() => this.#exited);
  }

  /** Ends the thread at once. */
  async terminate(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #wait<Value>(): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (reply: unknown) => void, reject });
    });
  }

  #answer(reply: Reply<unknown>): void {
    const waiting = this.#waiting.shift();
    try {
      waiting?.resolve(valueOf(reply));
    } catch (thrown) {
      waiting?.reject(thrown as Error);
    }
  }
}

/** The worker's first message; a worker that cannot begin is ended. */
export async function readyOrEnded<Value>(channel: Channel<never>): Promise<Value> {
  try {
    return await channel.ready<Value>();
  } catch (thrown) {
    await channel.terminate();
    throw thrown;
  }
}
