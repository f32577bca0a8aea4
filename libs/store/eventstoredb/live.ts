import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '#libs/kernel';
import { StoreUnavailable, Tail } from '#libs/store/port';
import { NoAnswer } from './errors.js';
import { follow } from './following.js';
import { firstHeadOf } from './reads.js';
import { lengthOf } from './record.js';
import { jittered, type Server } from './server.js';

const firstPause = 50;
const longestPause = 2_000;

/**
 * Follows everything once for the whole process, from where the store was when it was opened. Subscribers that are up
 * with it are served from here: a process has some twenty consumers, and a record is of interest to several. Everything
 * includes what no filter wants, so that how far a subscriber is needs no word of the server.
 */
export class Live {
  readonly #server: Server;
  readonly #running: Promise<void>;
  #tail: Tail | undefined;
  #ready!: (tail: Tail) => void;
  /** There once the server has answered for the first time. */
  readonly tail: Promise<Tail>;

  constructor(server: Server) {
    this.#server = server;
    this.tail = new Promise((resolve) => (this.#ready = resolve));
    this.#running = this.#run();
  }

  /** Ends once the store closes. */
  async end(): Promise<void> {
    await this.#running;
    this.#tail?.end();
  }

  async #run(): Promise<void> {
    const server = this.#server;
    const { tailEvents, tailLength } = server.tuning;
    const pauses = new Pauses();
    while (!server.closing.aborted) {
      const { client } = server;
      try {
        this.#tail ??= new Tail(await firstHeadOf(server), tailEvents, tailLength);
        this.#ready(this.#tail);
        for await (const { events } of follow(server, client, this.#tail.head, undefined, server.closing)) {
          pauses.reset();
          this.#tail.push(events, events.map(lengthOf));
        }
      } catch (thrown) {
        // Of what was asked for in vain the server knows already.
        if (!(thrown instanceof StoreUnavailable))
          server.unanswered(client, thrown instanceof NoAnswer ? thrown : new NoAnswer(messageOf(thrown), false));
      }
      await pauses.next(server.closing);
    }
  }
}

/** The pauses between attempts: longer and longer as long as nothing comes of them. */
export class Pauses {
  #pause = firstPause;

  reset(): void {
    this.#pause = firstPause;
  }

  async next(signal: AbortSignal): Promise<void> {
    await delay(jittered(this.#pause), undefined, { signal }).catch(() => undefined);
    this.#pause = Math.min(this.#pause * 2, longestPause);
  }
}
