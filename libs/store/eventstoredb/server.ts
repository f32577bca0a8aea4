import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, Slots } from '#libs/kernel';
import { StoreUnavailable } from '#libs/store/port';
import { Arrival } from './arrival.js';
import { loadClient, type Client } from './client.js';
import { nameOf } from './connection.js';
import { NoAnswer } from './errors.js';
import type { Tuning } from './options.js';

const firstPause = 25;
const longestPause = 1_000;

/** The server as this process sees it: the client of the moment, whether it answers, and when to give up. */
export class Server {
  readonly tuning: Tuning;
  readonly #make: () => Client;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #slots: Slots;
  readonly #arrival: Arrival;
  /** Aborted, and made anew, when an outage is given up: with it go those who wait for their turn. */
  #outage = forMany();
  #client: Client;
  /** What the server has said last to a user who may not. */
  #denied: string | undefined;
  /** Since when nothing was answered, by the clock of `performance`. */
  #silentSince: number | undefined;

  static async open(tuning: Tuning): Promise<Server> {
    return new Server(await loadClient(tuning), tuning);
  }

  private constructor(make: () => Client, tuning: Tuning) {
    this.#make = make;
    this.tuning = tuning;
    this.#slots = new Slots(tuning.atOnce);
    this.#client = make();
    this.#arrival = new Arrival(this.unavailable('it has not answered yet'));
  }

  /** Aborted once the store closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreUnavailable('the store is closed');
  }

  /**
   * Asks until there is an answer. An outage that has lasted for longer than the patience is given up at the first
   * failure, so that nobody waits again for what nobody has got for a while. Before the first answer of all, nothing is sent.
   * @param attempt throws `NoAnswer` where it was not answered, and is told whether that was so the time before
   * @throws StoreUnavailable, or what `attempt` throws
   */
  async ask<Answer>(attempt: (client: Client, again: boolean) => Promise<Answer>): Promise<Answer> {
    this.checkOpen();
    if (!this.#arrival.here) await this.#arrival.wait();
    return this.askFirst(attempt);
  }

  /** As `ask`, also of a server that has never answered: so it is found out when it does. */
  async askFirst<Answer>(attempt: (client: Client, again: boolean) => Promise<Answer>): Promise<Answer> {
    this.checkOpen();
    const asking = this.#inTurn(attempt);
    this.#underWay.add(asking);
    try {
      return await asking;
    } finally {
      this.#underWay.delete(asking);
    }
  }

  async #inTurn<Answer>(attempt: (client: Client, again: boolean) => Promise<Answer>): Promise<Answer> {
    await this.#slots.acquire(this.#outage.signal);
    try {
      return await this.#ask(attempt);
    } finally {
      this.#slots.release();
    }
  }

  async #ask<Answer>(attempt: (client: Client, again: boolean) => Promise<Answer>): Promise<Answer> {
    const begun = performance.now();
    for (let pause = firstPause, again = false; ; pause = Math.min(pause * 2, longestPause), again = true) {
      const client = this.#client;
      try {
        const answer = await attempt(client, again);
        this.answered();
        return answer;
      } catch (thrown) {
        if (!(thrown instanceof NoAnswer)) {
          // A refusal is an answer.
          this.answered();
          throw thrown;
        }
        this.unanswered(client, thrown);
        const since = Math.min(begun, this.#silentSince ?? begun);
        if (performance.now() - since > this.tuning.patience || this.#closing.signal.aborted) {
          throw this.#giveUp(thrown);
        }
        if (thrown.denied) throw this.unavailable(thrown);
        await delay(jittered(pause));
      }
    }
  }

  /** The client to subscribe with. */
  get client(): Client {
    return this.#client;
  }

  answered(): void {
    if (!this.#arrival.here) this.#arrival.come();
    if (this.#silentSince === undefined) return;
    this.#silentSince = undefined;
    this.tuning.log.reachable(this.name);
  }

  /** Replaces a client whose connection is broken. */
  unanswered(client: Client, error: NoAnswer): void {
    if (error.broken && client === this.#client && !this.#closing.signal.aborted) {
      // The client has closed the broken connection itself; what still runs on it fails by itself.
      this.#client = this.#make();
    }
    if (!this.#arrival.here) {
      if (error.denied) this.#arrival.come();
      else if (error.broken) this.#arrival.fail(this.unavailable(error));
    }
    if (error.denied) {
      // Other requests may well be answered: it is no outage, and would come and go with each of them.
      if (error.message !== this.#denied) this.tuning.log.unreachable(this.name, error.message);
      this.#denied = error.message;
      return;
    }
    if (this.#silentSince !== undefined) return;
    this.#silentSince = performance.now();
    if (!this.#closing.signal.aborted) this.tuning.log.unreachable(this.name, error.message);
  }

  #giveUp(error: NoAnswer): StoreUnavailable {
    const unavailable = this.unavailable(error);
    this.#outage.abort(unavailable);
    this.#outage = forMany();
    return unavailable;
  }

  unavailable(error: unknown): StoreUnavailable {
    return new StoreUnavailable(`EventStoreDB at ${this.name}: ${messageOf(error)}`);
  }

  get name(): string {
    return nameOf(this.tuning.connection);
  }

  /** Takes nothing more, finishes what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (!this.#arrival.here) this.#arrival.fail(new StoreUnavailable('the store is closed'));
    await Promise.allSettled(this.#underWay);
    await within(this.#client.close(), this.tuning.answerWithin).catch(() => undefined);
  }
}

/** One that any number of requests may listen to. */
function forMany(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Between half of it and all of it, so that processes do not come back in step. */
export function jittered(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random() / 2);
}

/** @throws NoAnswer when the time is over; what comes later is dropped */
export async function within<Answer>(promise: Promise<Answer>, milliseconds: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer within ${milliseconds} ms`, false)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
