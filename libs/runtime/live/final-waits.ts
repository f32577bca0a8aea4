import type { Subscription } from 'rxjs';
import { keyOf, type RecordedEvent } from '#libs/kernel';
import type { LiveFeed } from './live-feed.js';

/** Lets requests wait for the final view of something. */
export class FinalWaits<View> {
  private readonly waiting = new Map<string, Set<(view: View | undefined) => void>>();
  private readonly live: Subscription;
  private stopped = false;

  /**
   * @param feed emits at least the records of the views
   * @param finalView the view that a record holds, where it is a final one
   */
  constructor(feed: LiveFeed, finalView: (record: RecordedEvent) => View | undefined) {
    this.live = feed.records.subscribe((record) => {
      const waiters = this.waiting.get(keyOf(record.stream));
      const view = waiters && finalView(record);
      if (view !== undefined) for (const wake of waiters!) wake(view);
    });
  }

  /**
   * The view once it is final, or as it is when the wait is over.
   * @param wait milliseconds
   * @param current reads the view as it is; undefined where there is none, which nobody waits for
   */
  async final(
    id: string,
    wait: number,
    current: () => Promise<View | undefined>,
    isFinal: (view: View) => boolean,
  ): Promise<View | undefined> {
    if (wait === 0 || this.stopped) return current();
    let wake!: (view: View | undefined) => void;
    const woken = new Promise<View | undefined>((resolve) => (wake = resolve));
    const waiters = this.waiting.get(id) ?? new Set();
    // Registers first and reads then, so that nothing falls in between.
    this.waiting.set(id, waiters.add(wake));
    const timer = setTimeout(() => wake(undefined), wait);
    try {
      const view = await current();
      if (view === undefined || isFinal(view)) return view;
      return (await woken) ?? (await current());
    } finally {
      clearTimeout(timer);
      waiters.delete(wake);
      if (waiters.size === 0) this.waiting.delete(id);
    }
  }

  /** Answers whoever waits with the state as it is, now and from now on. */
  stop(): void {
    this.stopped = true;
    for (const waiters of this.waiting.values()) for (const wake of waiters) wake(undefined);
    this.live.unsubscribe();
  }
}
