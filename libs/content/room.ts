interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

/** Room in memory: what needs more than is left waits, first come, first served. */
export class Room {
  private taken = 0;
  private readonly waiting: Waiting[] = [];

  constructor(private readonly size: number) {}

  /**
   * Does the work once there is room for so many bytes. What needs more than there is at all has it for itself.
   * @throws what aborted the signal, and what the work throws
   */
  async hold<Result>(bytes: number, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (bytes === 0) return work();
    await new Promise<void>((enter) => {
      this.waiting.push({ bytes, enter });
      this.admit();
    });
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.taken -= bytes;
      this.admit();
    }
  }

  private admit(): void {
    for (let next = this.waiting[0]; next !== undefined && this.fits(next); next = this.waiting[0]) {
      this.waiting.shift();
      this.taken += next.bytes;
      next.enter();
    }
  }

  private fits({ bytes }: Waiting): boolean {
    return this.taken === 0 || this.taken + bytes <= this.size;
  }
}
