import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until the condition answers anything but false, null or undefined, and answers that. A condition that throws is
 * asked again; at the end of the time its last error is thrown.
 */
export async function eventually<Value>(
  condition: () => Value | Promise<Value>,
  { timeoutMs = 20_000 }: { readonly timeoutMs?: number } = {},
): Promise<NonNullable<Exclude<Value, false>>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await condition();
      if (value !== false && value !== undefined && value !== null) return value as NonNullable<Exclude<Value, false>>;
      failure = new Error(`the condition did not hold within ${timeoutMs} ms: ${condition.toString()}`);
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) throw failure;
    await delay(5);
  }
}
