import type { Metadata } from '#libs/kernel';
import type { Append } from '#libs/store/port';

/** The same append as part of another flow than that of its cause, such as a notification that something else asks for. */
export function inFlow(append: Append, correlationId: string, more: Metadata = {}): Append {
  const events = append.events.map((event) => {
    const { $causationId, traceparent } = event.metadata ?? {};
    const metadata: Metadata = {
      $correlationId: correlationId,
      ...($causationId !== undefined && { $causationId }),
      ...(traceparent !== undefined && { traceparent }),
      ...more,
    };
    return { ...event, metadata };
  });
  return { ...append, events };
}
