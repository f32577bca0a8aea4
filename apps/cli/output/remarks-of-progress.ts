/** In milliseconds. */
const interval = 1_000;

/** Says how far something is, once a second at most. */
export class Progress {
  private said = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly remark: (text: string) => void) {}

  /** Another part begins. */
  start(part: string): void {
    this.stop();
    this.said = performance.now();
    this.remark(`copying the ${part}`);
  }

  report(text: () => string): void {
    if (performance.now() - this.said < interval) return;
    this.said = performance.now();
    this.remark(text());
  }

  /** Looks by itself, until the part ends. */
  watch(look: () => Promise<string>): void {
    this.timer = setInterval(() => void look().then((text) => this.report(() => text)), interval);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
