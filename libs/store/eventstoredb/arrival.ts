import { type StoreUnavailable } from '#libs/store/port';

/** Milliseconds from the opening for which whoever asks waits for the first answer of the server. */
const patience = 2_000;

/**
 * Whether the server has ever answered. Until then one asks, and the others wait for what comes of it: where nobody is
 * there to connect to, or too much time has passed, they are told at once, from then until the first answer.
 */
export class Arrival {
  #here = false;
  #missing: StoreUnavailable | undefined;
  #decide!: () => void;
  readonly #decided: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  /** @param late what those are told for whom too much time has passed */
  constructor(late: StoreUnavailable) {
    this.#decided = new Promise((resolve) => (this.#decide = resolve));
    this.#timer = setTimeout(() => this.fail(late), patience);
  }

  get here(): boolean {
    return this.#here;
  }

  /** @throws StoreUnavailable */
  async wait(): Promise<void> {
    await this.#decided;
    if (!this.#here) throw this.#missing!;
  }

  come(): void {
    this.#here = true;
    this.#settle();
  }

  /** Nobody waits any more; the last reason is what they are told. */
  fail(reason: StoreUnavailable): void {
    this.#missing = reason;
    this.#settle();
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#decide();
  }
}
