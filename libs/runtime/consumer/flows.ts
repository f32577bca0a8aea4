/**
 * Runs work in order within a flow and in parallel across flows, at most `concurrency` flows at a time. Flows that
 * have to wait are served first come, first served.
 */
export class Flows<Item> {
  private readonly lanes = new Map<string, Item[]>();
  private readonly waiting: string[] = [];
  private active = 0;
  private queued = 0;
  private halted = false;
  private closed = false;
  private changed: (() => void)[] = [];

  /** @param work must not reject */
  constructor(
    private readonly concurrency: number,
    private readonly work: (item: Item) => Promise<void>,
  ) {}

  /** Items taken in and not done. */
  get size(): number {
    return this.queued;
  }

  add(flow: string, item: Item): void {
    this.queued += 1;
    const lane = this.lanes.get(flow);
    if (lane !== undefined) {
      lane.push(item);
      return;
    }
    this.lanes.set(flow, [item]);
    this.waiting.push(flow);
    this.startWaiting();
  }

  /** Starts nothing more until `resume`; what runs goes on. */
  pause(): void {
    this.halted = true;
  }

  resume(): void {
    if (this.closed) return;
    this.halted = false;
    this.startWaiting();
  }

  /** Resolves when fewer than `limit` items are in, or nothing more will be started. */
  async below(limit: number): Promise<void> {
    while (this.queued >= limit && !this.closed) await this.change();
  }

  /** Starts nothing more, for good; resolves when what runs is done. */
  async close(): Promise<void> {
    this.halted = true;
    this.closed = true;
    this.notify();
    while (this.active > 0) await this.change();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.changed.push(resolve));
  }

  private startWaiting(): void {
    while (!this.halted && this.active < this.concurrency && this.waiting.length > 0) {
      this.active += 1;
      void this.run(this.waiting.shift()!);
    }
  }

  private async run(flow: string): Promise<void> {
    const lane = this.lanes.get(flow)!;
    do {
      await this.work(lane.shift()!);
      this.queued -= 1;
      this.notify();
      // A busy flow goes back in line after each item, where others wait.
    } while (lane.length > 0 && !this.halted && this.waiting.length === 0);
    this.active -= 1;
    if (lane.length > 0) this.waiting.push(flow);
    else this.lanes.delete(flow);
    this.notify();
    this.startWaiting();
  }

  private notify(): void {
    if (this.changed.length === 0) return;
    const waiters = this.changed;
    this.changed = [];
    for (const wake of waiters) wake();
  }
}
