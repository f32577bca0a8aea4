import type { Observable } from 'rxjs';

/**
 * What the source emits, as it is asked for: of all that has come meanwhile only the last, so that nothing piles up for
 * somebody slow. Ends with the source, or when the signal is aborted.
 */
export async function* latest<Value>(source: Observable<Value>, signal: AbortSignal): AsyncGenerator<Value> {
  const slot = new Slot<Value>();
  const subscription = source.subscribe({
    next: (value) => slot.put([value]),
    error: (error: unknown) => slot.end(() => Promise.reject(error)),
    complete: () => slot.end(() => Promise.resolve()),
  });
  const abort = (): void => slot.end(() => Promise.resolve());
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    for (;;) {
      const taken = await slot.take();
      if (taken === undefined || signal.aborted) return;
      yield taken[0];
    }
  } finally {
    signal.removeEventListener('abort', abort);
    subscription.unsubscribe();
  }
}

/** Holds one value. */
class Slot<Value> {
  private held: readonly [Value] | undefined;
  private ending: (() => Promise<void>) | undefined;
  private wake: () => void = () => undefined;

  put(value: readonly [Value]): void {
    this.held = value;
    this.wake();
  }

  /** @param how resolves or rejects whoever takes what is not there any more */
  end(how: () => Promise<void>): void {
    this.ending ??= how;
    this.wake();
  }

  /** The value, once there is one; undefined after the end. */
  async take(): Promise<readonly [Value] | undefined> {
    while (this.held === undefined && this.ending === undefined) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    const taken = this.held;
    this.held = undefined;
    if (taken === undefined) await this.ending!();
    return taken;
  }
}
