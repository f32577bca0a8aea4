/** Milliseconds after which a checkpoint is told, however few records were looked at. */
const patience = 1_000;

/**
 * When a filtered subscription tells how far it has got: each time it has looked at `interval` records, and within a
 * second otherwise, so that a client whose filter matches nothing does not fall behind.
 */
export class Checkpoints {
  readonly #interval: bigint;
  readonly #tell: (position: bigint) => Promise<void>;
  #told: bigint | undefined;
  #reached: bigint | undefined;
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> = Promise.resolve();

  constructor(interval: number, tell: (position: bigint) => Promise<void>) {
    this.#interval = BigInt(interval);
    this.#tell = tell;
  }

  /** Everything up to there has been handed out. Resolves when the client has taken the checkpoints under way. */
  async reached(position: bigint): Promise<void> {
    this.#reached = position;
    this.#told ??= position - this.#interval;
    if (position - this.#told >= this.#interval) this.#tellNow();
    else if (position > this.#told) this.#timer ??= setTimeout(() => this.#tellNow(), patience);
    await this.#telling;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #tellNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = this.#reached!;
    this.#telling = this.#tell(this.#told);
    // Of the call's end everybody learns by its signal.
    this.#telling.catch(() => undefined);
  }
}
