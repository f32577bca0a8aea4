import { once, type EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import { CallFailed, failureOf, unavailable } from './errors.js';

/** What streaming calls of all kinds have. */
interface StreamingCall extends EventEmitter {
  end(): void;
}

interface WritableCall<Response> extends EventEmitter {
  write(message: Response): boolean;
}

/** Of which there may be so many at a time. */
export type CallKind = 'reads' | 'subscriptions' | 'appends';

/** The streaming calls that are open. */
export class Calls {
  readonly #limits: Readonly<Record<CallKind, number>>;
  readonly #onError: (error: unknown) => void;
  readonly #open = new Map<AbortController, CallKind>();
  #closing = false;

  constructor(limits: Readonly<Record<CallKind, number>>, onError: (error: unknown) => void) {
    this.#limits = limits;
    this.#onError = onError;
  }

  /**
   * Serves a call: ends it when `serve` is done, with its error when it fails, and with UNAVAILABLE when the facade
   * closes. The signal says that nobody waits for more.
   */
  async serve(kind: CallKind, call: StreamingCall, serve: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const cancel = () => controller.abort();
    call.on('cancelled', cancel);
    try {
      this.#add(kind, controller);
      await serve(controller.signal);
      if (this.#closing) throw unavailable('the server is shutting down');
      call.end();
    } catch (thrown) {
      if (!controller.signal.aborted) call.emit('error', failureOf(thrown, this.#onError));
      else if (this.#closing) call.emit('error', unavailable('the server is shutting down'));
    } finally {
      this.#open.delete(controller);
      call.off('cancelled', cancel);
    }
  }

  /** Ends all calls, and every one from now on. */
  close(): void {
    this.#closing = true;
    for (const controller of this.#open.keys()) controller.abort();
  }

  #add(kind: CallKind, controller: AbortController): void {
    if (this.#closing) throw unavailable('the server is shutting down');
    const open = [...this.#open.values()].filter((other) => other === kind).length;
    const limit = this.#limits[kind];
    if (open >= limit) {
      throw new CallFailed(status.RESOURCE_EXHAUSTED, `there are ${limit} ${kind} already; try again later`);
    }
    this.#open.set(controller, kind);
  }
}

const draining = new WeakMap<EventEmitter, Promise<unknown>>();

/** Sends a message, and waits until the client has taken what is under way. @throws AbortError */
export async function send<Response>(
  call: WritableCall<Response>,
  message: Response,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (call.write(message)) return;
  let drained = draining.get(call);
  if (drained === undefined) {
    drained = once(call, 'drain', { signal }).finally(() => draining.delete(call));
    draining.set(call, drained);
  }
  await drained;
}
