/** Lets writers pass, until it is closed; then they wait until it is opened. */
export class WriteGate {
  private passing = 0;
  private opened: Promise<void> | undefined;
  private empty: () => void = () => undefined;

  async pass<Result>(write: () => Promise<Result>): Promise<Result> {
    while (this.opened !== undefined) await this.opened;
    this.passing += 1;
    try {
      return await write();
    } finally {
      this.passing -= 1;
      if (this.passing === 0) this.empty();
    }
  }

  /** Resolves when nobody is inside any more, with what opens it. Whoever closes it while it is closed waits too. */
  async close(): Promise<() => void> {
    while (this.opened !== undefined) await this.opened;
    let open!: () => void;
    this.opened = new Promise((resolve) => {
      open = () => {
        this.opened = undefined;
        resolve();
      };
    });
    if (this.passing > 0) await new Promise<void>((resolve) => (this.empty = resolve));
    this.empty = () => undefined;
    return open;
  }
}
